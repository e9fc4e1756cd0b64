/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader_process.h - the process that reads files for the one under test.
 */
#ifndef WICK_READER_PROCESS_H
#define WICK_READER_PROCESS_H

#include <sys/types.h>

/* The one child of this process that is called "wick-reader", or 0. */
pid_t reader_process_find(void);
/* Send it @signal; fails the test when there is none. Returns which it was. */
pid_t reader_process_signal(int signal);

#endif
