/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_maps.h - the maps all BPF objects of a session share, and the loader of embedded objects.
 *
 * The first object (process.bpf.c) creates the shared maps, later ones reuse
 * them by name. The arrays that user space reads or writes while programs run are mmapped here.
 */
#ifndef WICK_BPF_MAPS_H
#define WICK_BPF_MAPS_H

#include <stddef.h>
#include <stdint.h>
#include "bpf/sample_abi.h"
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "profiler/session.h"

struct bpf_maps;
struct bpf_object;
struct source_options;

/* @needs is borrowed as long as objects are loaded. @counter_count: one set per source and CPU. */
int bpf_maps_open(const struct session_limits *limits, const struct wick_settings *settings,
		  struct session_needs *needs, unsigned int cpus, unsigned int counter_count,
		  struct bpf_maps **ret, struct error *err);
struct bpf_maps *bpf_maps_close(struct bpf_maps *maps);
DEFINE_CLEANUP(struct bpf_maps *, bpf_maps_close)

/* How an object is loaded. */
struct bpf_load {
	const char *name;			/* of the embedded object */
	const struct wick_settings *settings;
	/* Chooses among its optional programs; NULL: leave them out. */
	void (*prepare)(const struct source_options *options, struct bpf_object *object);
	const struct source_options *options;	/* of a source, and for @prepare; NULL: all is loaded */
	/* Of probes: how many places there are, and how many calls may hold texts of their entry. */
	uint32_t sites, call_texts;
};

/* The bytes of an embedded object, or NULL. */
const void *bpf_maps_embedded(const char *name, size_t *ret_size);
/*
 * Open an embedded object, size its own maps, put the settings in, share the maps, load. Of a source
 * programs on tracepoints that this kernel does not have are left out. The object is the caller's,
 * for bpf_object__close().
 */
int bpf_maps_load_object(struct bpf_maps *maps, const struct bpf_load *load,
			 struct bpf_object **ret, struct error *err);
/* The object that follows forks, execs and exits; its programs are for bpf_program__attach(). */
struct bpf_object *bpf_maps_process_object(struct bpf_maps *maps);
/* A shared map by name, or -ENOENT. */
int bpf_maps_fd(const struct bpf_maps *maps, const char *name);

/* Mapped memory, valid until bpf_maps_close(). */
struct wick_control *bpf_maps_control(struct bpf_maps *maps);
struct wick_claim *bpf_maps_claims(struct bpf_maps *maps, size_t *ret_count);
const struct wick_counters *bpf_maps_counters(const struct bpf_maps *maps, uint32_t source,
					      unsigned int cpu);
unsigned int bpf_maps_cpus(const struct bpf_maps *maps);
/*
 * Kernel memory, as the kernel accounts it: of the shared maps and the programs that go with them,
 * and of @object's own.
 */
uint64_t bpf_maps_memory_bytes(const struct bpf_maps *maps);
uint64_t bpf_maps_object_bytes(const struct bpf_maps *maps, const struct bpf_object *object);
/* How much of it (tables apart) is mapped here, and so part of the process's resident size, too. */
uint64_t bpf_maps_mapped_bytes(const struct bpf_maps *maps);

#endif
