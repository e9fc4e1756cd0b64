/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * type_worker.h - arguments and types of functions, as dwarf_types.h has them, from a process that reads files.
 *
 * What it has said is kept as long as the types it was said of. One thread at a time; when the
 * process was ended on purpose, any number may ask for what is known.
 */
#ifndef WICK_TYPE_WORKER_H
#define WICK_TYPE_WORKER_H

#include "symbolizer/elf/module.h"
#include "symbolizer/types/type_info.h"

struct type_worker;
struct typed_file;	/* one whose types are asked for; the worker's */

/* It may take @module_ns for a file, 0 for 20 s. NULL: no memory. */
struct type_worker *type_worker_new(uint64_t module_ns);
struct type_worker *type_worker_free(struct type_worker *worker);
DEFINE_CLEANUP(struct type_worker *, type_worker_free)
/* Ends the process for good: what it has not said is not known from now on. */
void type_worker_end(struct type_worker *worker);

/*
 * Returns 0, also when the process did not survive it (typed_file_failure() tells), -ENOENT when @mod has no debug
 * information, -EBADMSG, -EFBIG, -ENOMEM.
 */
int type_worker_open(struct type_worker *worker, struct module *mod, struct typed_file **ret);
/* The function entered at @address. Returns 0, -ENOENT, -EBADMSG, -ENOMEM, or the file's failure. */
int typed_file_function(struct typed_file *file, uint64_t address, struct type_function *ret);
/*
 * Many of them, by fewer messages: calls @found with each in turn, NULL where there is none; its texts
 * are good during the call, and what it returns below 0 is returned. Else as typed_file_function().
 */
int typed_file_functions(struct typed_file *file, const uint64_t *addresses, size_t count,
			 int (*found)(void *context, size_t index,
				      const struct type_function *function),
			 void *context);
/*
 * By-name look-ups begin in the unit of the function that was asked for last. Errors are those of
 * type_info.h or, from then on for all that was not asked before, the file's failure.
 */
const struct type_provider *typed_file_provider(const struct typed_file *file);
/* Why nothing more is said of it, as worker_open() says: a negative errno, or 0. */
int typed_file_failure(const struct typed_file *file);
/* The same for people, and fit for a terminal: "the debug information of /bin/x made its reader die". */
void typed_file_say_failure(const struct typed_file *file, char *text, size_t size);

#endif
