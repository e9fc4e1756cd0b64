/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/bpf_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/cpu.skel.h"
#include "bpf/exit.skel.h"
#include "bpf/fault.skel.h"
#include "bpf/fentry.skel.h"
#include "bpf/irq.skel.h"
#include "bpf/lock.skel.h"
#include "bpf/offcpu.skel.h"
#include "bpf/perf_counter.skel.h"
#include "bpf/probe.skel.h"
#include "bpf/process.skel.h"
#include "bpf/rawtp.skel.h"
#include "bpf/runq.skel.h"
#include "bpf/signal.skel.h"
#include "bpf/softirq.skel.h"
#include "bpf/switches.skel.h"
#include "bpf/syscall.skel.h"
#include "bpf/syscall_values.skel.h"
#include "bpf/tracepoint.skel.h"
#include "bpf/wakeup.skel.h"
#include "profiler/privileges.h"
#include "profiler/sources/needs.h"

struct bpf_maps {
	struct session_limits limits;
	unsigned int cpus, counter_count;
	bool filters_pids, filters_tids;
	struct bpf_object *process;
	struct session_needs *needs;		/* borrowed while objects are loaded */
	struct wick_control *control;
	struct wick_claim *claims;
	struct wick_counters *counters;
};

static const struct embedded {
	const char *name;
	const void *(*bytes)(size_t *size);
} embedded_objects[] = {
	{ "process", process__elf_bytes },
	{ "cpu", cpu__elf_bytes },
	{ "exit", exit__elf_bytes },
	{ "fault", fault__elf_bytes },
	{ "fentry", fentry__elf_bytes },
	{ "irq", irq__elf_bytes },
	{ "lock", lock__elf_bytes },
	{ "offcpu", offcpu__elf_bytes },
	{ "perf_counter", perf_counter__elf_bytes },
	{ "probe", probe__elf_bytes },
	{ "rawtp", rawtp__elf_bytes },
	{ "runq", runq__elf_bytes },
	{ "signal", signal__elf_bytes },
	{ "softirq", softirq__elf_bytes },
	{ "switches", switches__elf_bytes },
	{ "syscall", syscall__elf_bytes },
	{ "syscall_values", syscall_values__elf_bytes },
	{ "tracepoint", tracepoint__elf_bytes },
	{ "wakeup", wakeup__elf_bytes },
};

static const struct embedded *embedded_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(embedded_objects); i++)
		if (!strcmp(embedded_objects[i].name, name))
			return &embedded_objects[i];
	return NULL;
}

/* How many entries each map gets; 0: as the object says. */
static uint32_t map_entries(const struct bpf_maps *m, const char *name, const struct bpf_load *load)
{
	const struct {
		const char *name;
		uint32_t entries;
	} sizes[] = {
		{ "claims", m->cpus * WICK_SCRATCH_SLOTS },
		{ "recent", m->cpus },
		{ "counters", m->counter_count },
		{ "ring", m->limits.ring_bytes },
		{ "sent", m->limits.sent },
		{ "processes", m->limits.processes },
		{ "mappings", m->limits.mappings },
		{ "modules", m->limits.modules },
		{ "target_pids", m->filters_pids ? m->limits.processes : 1 },
		{ "target_tids", m->filters_tids ? m->limits.processes : 1 },
		{ "waits", m->limits.waits },
		{ "calls", m->limits.waits },
		{ "call_threads", m->limits.waits },
		{ "call_texts", load->call_texts },
		{ "sites", load->sites },
		{ "counts_0", m->limits.counts },
		{ "counts_1", m->limits.counts },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (!strcmp(sizes[i].name, name))
			return sizes[i].entries;
	return 0;
}

/* Size @map, or share it. Returns 0 or a negative errno. */
static int map_prepare(struct bpf_maps *m, struct bpf_map *map, const struct bpf_load *load)
{
	const char *name = bpf_map__name(map);
	uint32_t entries = map_entries(m, name, load);
	int fd;

	if (strstr(name, ".rodata.settings"))
		return bpf_map__set_initial_value(map, load->settings, sizeof(*load->settings));
	fd = m->process && name[0] != '.' && !strstr(name, ".rodata") ? bpf_maps_fd(m, name) : -1;
	if (fd >= 0)
		return bpf_map__reuse_fd(map, fd);
	return entries ? bpf_map__set_max_entries(map, entries) : 0;
}

static int explain(int code, const char *name, struct error *err)
{
	if (privileges_lack(code))
		return privileges_refuse(err, code, "cannot load BPF programs");
	/* There is too little of something now; the kernel could. */
	if (code == -ENOMEM || code == -EMFILE || code == -ENFILE || code == -EAGAIN)
		return error_set(err, ERROR_FAILED, code, "cannot load BPF program: %s: %s", name,
				 strerror(-code));
	return error_set(err, ERROR_NOT_SUPPORTED, code, "cannot load BPF program: %s: %s", name,
			 strerror(-code));
}

/* What is left out for want of a tracepoint is said by the needs of its source. */
static void programs_choose(struct bpf_maps *m, const struct bpf_load *load,
			    struct bpf_object *object)
{
	static const char tracepoint[] = "tp_btf/";
	struct bpf_program *program;

	if (!load->options)
		return;
	if (load->prepare)
		load->prepare(load->options, object);
	bpf_object__for_each_program(program, object)
	{
		const char *section = bpf_program__section_name(program), *name;

		name = strstr(section, tracepoint);
		if (!bpf_program__autoload(program) || !name)
			continue;
		if (!needs_tracepoint(m->needs, name + strlen(tracepoint)))
			bpf_program__set_autoload(program, false);
	}
}

const void *bpf_maps_embedded(const char *name, size_t *ret_size)
{
	const struct embedded *embedded = embedded_find(name);

	return embedded ? embedded->bytes(ret_size) : NULL;
}

int bpf_maps_load_object(struct bpf_maps *m, const struct bpf_load *load,
			 struct bpf_object **ret, struct error *err)
{
	const char *name = load->name;
	struct bpf_object *object;
	struct bpf_map *map;
	size_t size;
	const void *bytes = bpf_maps_embedded(name, &size);
	int r;

	if (!bytes)
		return error_set(err, ERROR_FAILED, -ENOENT, "no BPF object: %s", name);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name);
	object = bpf_object__open_mem(bytes, size, &opts);
	if (!object)
		return error_set(err, ERROR_FAILED, -errno, "cannot open BPF object: %s: %s", name,
				 strerror(errno));
	bpf_object__for_each_map(map, object)
	{
		r = map_prepare(m, map, load);
		if (r < 0) {
			error_set(err, ERROR_FAILED, r, "cannot prepare BPF map: %s: %s",
				  bpf_map__name(map), strerror(-r));
			bpf_object__close(object);
			return r;
		}
	}
	programs_choose(m, load, object);
	r = bpf_object__load(object);
	if (r < 0) {
		bpf_object__close(object);
		return explain(r, name, err);
	}
	*ret = object;
	return 0;
}

static void *map_memory(struct bpf_maps *m, const char *name, size_t size, int protection)
{
	void *memory = mmap(NULL, size, protection, MAP_SHARED, bpf_maps_fd(m, name), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t claims_bytes(const struct bpf_maps *m)
{
	return sizeof(struct wick_claim) * m->cpus * WICK_SCRATCH_SLOTS;
}

static size_t counters_bytes(const struct bpf_maps *m)
{
	return sizeof(struct wick_counters) * m->counter_count;
}

int bpf_maps_open(const struct session_limits *limits, const struct wick_settings *settings,
		  struct session_needs *needs, unsigned int cpus, unsigned int counter_count,
		  struct bpf_maps **ret, struct error *err)
{
	_cleanup_(bpf_maps_closep) struct bpf_maps *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->limits = *limits;
	m->needs = needs;
	m->cpus = cpus;
	m->counter_count = counter_count;
	m->filters_pids = settings->filter_pids;
	m->filters_tids = settings->filter_tids;
	r = bpf_maps_load_object(m, &(struct bpf_load){ .name = "process", .settings = settings },
				 &m->process, err);
	if (r < 0)
		return r;
	m->control = map_memory(m, "control", sizeof(*m->control), PROT_READ | PROT_WRITE);
	m->claims = map_memory(m, "claims", claims_bytes(m), PROT_READ | PROT_WRITE);
	m->counters = map_memory(m, "counters", counters_bytes(m), PROT_READ);
	if (!m->control || !m->claims || !m->counters)
		return error_set(err, ERROR_FAILED, -errno, "cannot map BPF maps: %s",
				 strerror(errno));
	*ret = take_ptr(m);
	return 0;
}

struct bpf_maps *bpf_maps_close(struct bpf_maps *m)
{
	if (!m)
		return NULL;
	if (m->control)
		munmap(m->control, sizeof(*m->control));
	if (m->claims)
		munmap(m->claims, claims_bytes(m));
	if (m->counters)
		munmap(m->counters, counters_bytes(m));
	bpf_object__close(m->process);
	free(m);
	return NULL;
}

struct bpf_object *bpf_maps_process_object(struct bpf_maps *m)
{
	return m->process;
}

int bpf_maps_fd(const struct bpf_maps *m, const char *name)
{
	return bpf_object__find_map_fd_by_name(m->process, name);
}

struct wick_control *bpf_maps_control(struct bpf_maps *m)
{
	return m->control;
}

struct wick_claim *bpf_maps_claims(struct bpf_maps *m, size_t *ret_count)
{
	*ret_count = m->cpus * WICK_SCRATCH_SLOTS;
	return m->claims;
}

const struct wick_counters *bpf_maps_counters(const struct bpf_maps *m, uint32_t source,
					      unsigned int cpu)
{
	return &m->counters[source * m->cpus + cpu];
}

unsigned int bpf_maps_cpus(const struct bpf_maps *m)
{
	return m->cpus;
}

/* "memlock:" in the fdinfo of a map or program is what the kernel charges. */
static uint64_t charged_bytes(int fd)
{
	_cleanup_fclose_ FILE *f = NULL;
	unsigned long long bytes = 0;
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

static uint64_t programs_bytes(const struct bpf_object *object)
{
	struct bpf_program *program;
	uint64_t bytes = 0;

	bpf_object__for_each_program(program, object)
		bytes += charged_bytes(bpf_program__fd(program));
	return bytes;
}

uint64_t bpf_maps_memory_bytes(const struct bpf_maps *m)
{
	uint64_t bytes = programs_bytes(m->process);
	struct bpf_map *map;

	bpf_object__for_each_map(map, m->process)
		bytes += charged_bytes(bpf_map__fd(map));
	return bytes;
}

uint64_t bpf_maps_mapped_bytes(const struct bpf_maps *m)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct bpf_map *map;
	/* Of the ring the two pages before its data, which is mapped twice. */
	uint64_t bytes = 2 * page + 2ull * m->limits.ring_bytes;

	bpf_object__for_each_map(map, m->process)
		if (bpf_map__map_flags(map) & BPF_F_MMAPABLE && bpf_map__name(map)[0] != '.')
			bytes += ((uint64_t)bpf_map__value_size(map) * bpf_map__max_entries(map) +
				  page - 1) & ~(page - 1);
	return bytes;
}

uint64_t bpf_maps_object_bytes(const struct bpf_maps *m, const struct bpf_object *object)
{
	uint64_t bytes = programs_bytes(object);
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		if (bpf_maps_fd(m, bpf_map__name(map)) < 0)
			bytes += charged_bytes(bpf_map__fd(map));
	return bytes;
}
