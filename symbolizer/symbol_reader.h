/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbol_reader.h - the process that reads files for a symbolizer, and may die of them.
 */
#ifndef WICK_SYMBOL_READER_H
#define WICK_SYMBOL_READER_H

/*
 * In a process that was just forked, with all signals blocked: give up what is not needed for it, say
 * so by @fd, and answer what comes from there (symbol_wire.h) until it is closed.
 */
_Noreturn void symbol_reader_run(int fd);

#endif
