/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_process.h - the process that reads files for others, and may die of them.
 */
#ifndef WICK_WORKER_PROCESS_H
#define WICK_WORKER_PROCESS_H

/*
 * In a process that was just forked, with all signals blocked: give up what is not needed for it, say
 * so by @fd, and answer what comes from there (worker_wire.h) until it is closed.
 */
_Noreturn void worker_process_run(int fd);

#endif
