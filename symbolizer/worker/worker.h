/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker.h - a process that reads files which may be made to kill their reader.
 *
 * Starts the process (worker_process.h) when it is asked for the first time and again after it has
 * died, hands it the files, and believes it nothing. What is asked, and how answers are read, is
 * symbol_worker.h's and type_worker.h's. One thread at a time; best while there is no other, because it
 * forks.
 */
#ifndef WICK_WORKER_H
#define WICK_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "symbolizer/elf/module.h"
#include "symbolizer/worker/worker_wire.h"

struct debuginfod;
struct worker;

/* It may take @module_ns for a module, 0 for 20 s. NULL: no memory. */
struct worker *worker_new(uint64_t module_ns);
/* Ends the process. Returns NULL. */
struct worker *worker_free(struct worker *worker);
DEFINE_CLEANUP(struct worker *, worker_free)

/*
 * From now on questions are about @mod, which has a file of its own; debug information that is elsewhere
 * is looked for here, as debug_files_collect() does. Returns 0, -ENOMEM, or what became of
 * the process: -EPIPE it died, -ETIME it took too long and was ended, -EBADMSG it made no sense
 * and was ended, -ENOBUFS it had no memory, -ECHILD it could not be started.
 */
int worker_open(struct worker *worker, struct module *mod, bool without_libdw,
		struct debuginfod *debuginfod);

/* The module that is open has as long again as it had at first: it has answered all that it was asked. */
void worker_renew(struct worker *worker);

/* What follows a request: @parts[0], and @parts[1] where that is not all. */
struct worker_question {
	enum worker_request_type type;
	const void *parts[2];
	size_t sizes[2];
};

/*
 * Ask about the module that is open: at most WORKER_REQUEST_BYTES_MAX in all. The bytes of the answer, in
 * no way checked and with a NUL behind them, are the caller's to free. Returns as worker_open().
 */
int worker_ask(struct worker *worker, const struct worker_question *question, uint8_t **ret,
	       size_t *ret_size);
/* It is of no use any more because of @error, -EBADMSG for an answer without sense. Returns that. */
int worker_fail(struct worker *worker, int error);
/* CPU time of all processes there were. */
uint64_t worker_cpu_ns(const struct worker *worker);
/* What the file did, for people: "made its reader die". */
const char *worker_error_text(int error);

#endif
