/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbolizer.h - names for addresses: (module, ELF address) to functions and lines.
 *
 * Knows ELF and DWARF; knows nothing of processes, BPF or output formats. One
 * symbolizer per thread. Strings it returns live until symbolizer_free().
 */
#ifndef WICK_SYMBOLIZER_H
#define WICK_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/module.h"

struct symbolizer;

/* Where a name came from, best first; the quality line of a profile counts them. */
enum frame_origin {
	FRAME_DWARF,
	FRAME_GO,		/* .gopclntab */
	FRAME_SYMTAB,
	FRAME_DYNSYM,
	FRAME_KALLSYMS,
	FRAME_JIT,		/* a perf map */
	FRAME_FDE,		/* "basename+0xADDR": the start of the enclosing FDE */
	FRAME_UNKNOWN,		/* "basename+0xADDR" of the address itself: no provider knew it */
};

struct frame {
	const char *function;		/* as shown: demangled, clone suffixes dropped */
	const char *system_name;	/* as in the file: mangled */
	const char *file;		/* source path, or NULL when unknown */
	uint32_t line;			/* 0: unknown */
	uint64_t start;			/* ELF (or kernel) address of the function; 0: unknown */
	enum frame_origin origin;
	bool inlined;			/* this call was inlined into the next frame of the array */
};

struct symbolizer_options {
	/* Limit for what is read from files and for answers; 0 for a default of 32 MiB. One
	 * module may be over it while it is asked for: libdw reads whole sections. */
	size_t cache_bytes;
	const char *kallsyms_path;	/* copied; NULL for /proc/kallsyms */
	/* How long in all to wait for $DEBUGINFOD_URLS, where that is set; 0 for a minute. */
	uint64_t debuginfod_ns;
	/*
	 * Files are read by a process of its own, without privileges (worker.h): what
	 * they do to it costs their own names and nothing else.
	 */
	bool isolated;
	/* How long that process may take for a module; 0 for 20 s. */
	uint64_t module_ns;
	/* It may take that long for each question: they are asked for ever, by whoever waits for them. */
	bool endless;
};

/* What could not be read because its reader did not survive it. */
struct symbolizer_failure {
	const char *path;	/* of the module; NULL: the process could not be started */
	int error;		/* as worker_open() */
	bool by_address;	/* nor could its symbols: it is named by addresses */
};

struct strbuf;

struct symbolizer_stats {
	uint64_t lookups;	/* of user addresses */
	uint64_t cache_hits;	/* those asked before, and answered from memory */
	uint64_t modules_loaded, modules_evicted;
	uint64_t load_ns;	/* spent reading symbol tables, the kernel's among them */
	size_t cache_bytes;	/* held now by symbol tables and remembered answers */
	size_t kernel_bytes;	/* and by the kernel's symbols */
	size_t text_bytes;	/* and by the strings handed out, which only grow */
	uint64_t worker_cpu_ns;	/* of the process that reads files */
};

/* @options may be NULL for defaults. NULL: no memory. */
struct symbolizer *symbolizer_new(const struct symbolizer_options *options);
struct symbolizer *symbolizer_free(struct symbolizer *sym);
DEFINE_CLEANUP(struct symbolizer *, symbolizer_free)

/*
 * Look up the instruction at @address, an ELF virtual address. For a return
 * address pass address - 1, so that the call is named and not what follows it.
 * Fills @ret innermost first, at most @max frames: an inlined call is its own
 * frame. Returns how many (always at least one for a module with a name: the
 * last resort is FRAME_UNKNOWN), -EINVAL when @max is 0, or -ENOMEM. Cheap
 * when asked module by module.
 */
int symbolizer_lookup(struct symbolizer *sym, struct module *mod, uint64_t address,
		      struct frame *ret, size_t max);
/*
 * The same for a kernel address, by /proc/kallsyms (core kernel, modules, BPF
 * programs), read at the first call. @ret_module is set to
 * "[kernel.kallsyms]" or to the name of the module in brackets, as perf does.
 * When kallsyms is hidden (kptr_restrict) or has no such symbol: FRAME_UNKNOWN
 * with the address as the name.
 */
int symbolizer_lookup_kernel(struct symbolizer *sym, uint64_t address, struct frame *ret,
			     size_t max, const char **ret_module);
/*
 * Modules and BPF programs come and go: to be called before addresses are asked
 * for that were taken after the last ones. At the first of them that is not in
 * the core kernel, /proc/kallsyms is read again.
 */
void symbolizer_refresh_kernel(struct symbolizer *sym);
/*
 * These addresses of @mod will be asked for: when it is isolated they are named all at once, which is
 * much faster than one by one. Returns 0 or -ENOMEM.
 */
int symbolizer_prepare(struct symbolizer *sym, struct module *mod, const uint64_t *addresses,
		       size_t count);
/* In the order in which they happened; good until the next look-up. */
const struct symbolizer_failure *symbolizer_failures(const struct symbolizer *sym,
						     size_t *ret_count);
/* For people: "the debug information of PATH made its reader die: continuing with its symbols". */
void symbolizer_failure_write(const struct symbolizer_failure *failure, struct strbuf *ret);
void symbolizer_stats(const struct symbolizer *sym, struct symbolizer_stats *ret);

#endif
