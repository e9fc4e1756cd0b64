/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/ifunc_choice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/alloc.h"
#include "profiler/base/number.h"
#include "profiler/processes/proc_maps.h"
#include "symbolizer/code/ifunc_slots.h"
#include "symbolizer/providers/fde_starts.h"

/* Of those that have the file and do not tell; others will not, either. */
#define SILENT_MAX 16

/* Code that a process has mapped of a file. */
struct image {
	uint64_t start, end, offset;
	struct stat file;
};

struct asking {
	struct module *mod;
	const struct function_entry *ifunc;
	uint64_t choice;		/* its ELF address in the module; 0: nobody told yet */
	size_t silent;

	/* Of the process that is asked. */
	pid_t pid;
	int memory;
	struct image *images;
	size_t count, capacity;
	uint64_t bias;			/* of the module in it */
};

static int read_images(struct asking *a)
{
	_cleanup_proc_maps_ struct proc_maps maps = PROC_MAPS_INIT;
	char path[PROC_MAPS_LINK_BYTES];
	struct proc_map map;
	int r;

	a->count = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", a->pid);
	r = proc_maps_open(&maps, path);
	while (r >= 0 && (r = proc_maps_next_code(&maps, &map)) > 0) {
		struct image image = { .start = map.start, .end = map.end, .offset = map.offset };

		proc_maps_link((uint32_t)a->pid, map.start, map.end, path);
		if (stat(path, &image.file))
			continue;
		r = alloc_grow(&a->images, &a->capacity, a->count + 1);
		if (!r)
			a->images[a->count++] = image;
	}
	return r == -ENOMEM ? r : 0;
}

static bool is_of_module(const struct asking *a, const struct image *image)
{
	const struct module_info *info = module_info(a->mod);

	return image->file.st_dev == info->device && image->file.st_ino == info->inode;
}

static int read_bias(struct elf_file *elf, const struct image *image, uint64_t *ret)
{
	uint64_t address;
	int r = elf_file_offset_to_address(elf, image->offset, &address);

	if (!r)
		*ret = image->start - address;
	return r;
}

/* What a slot holds, if it is another function of the module: not the resolver, no stub of an importer. */
static void take_choice(struct asking *a, uint64_t value)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct image *image = &a->images[i];

		if (value >= image->start && value < image->end && is_of_module(a, image) &&
		    value - a->bias != a->ifunc->address)
			a->choice = value - a->bias;
	}
}

/* What was there before it was filled: a stub that asks the dynamic linker. */
static bool is_unfilled(struct module *mod, const struct elf_file *elf, uint64_t bias,
			uint64_t slot, uint64_t value)
{
	uint64_t offset, word;

	return !elf_file_address_to_offset(elf, slot, &offset) &&
	       !module_read(mod, offset, &word, sizeof(word)) && word + bias == value;
}

/* The slots of @mod, which is mapped at @image: its own, or those it imports @name by. */
static int ask_slots(struct asking *a, struct module *mod, const struct image *image,
		     uint64_t resolver, const char *name)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct ifunc_slots slots;
	uint64_t bias, value;
	int r = ifunc_slots_read(mod, resolver, name, &slots);

	r = r ?: module_open(mod, &elf);
	r = r ?: read_bias(elf, image, &bias);
	for (size_t i = 0; !r && i < slots.count && !a->choice; i++)
		if (pread(a->memory, &value, sizeof(value), (off_t)(bias + slots.addresses[i])) ==
			    sizeof(value) &&
		    !is_unfilled(mod, elf, bias, slots.addresses[i], value))
			take_choice(a, value);
	return r == -ENOMEM ? r : 0;
}

static int ask_importer(struct asking *a, const struct image *image, const char *name)
{
	_cleanup_(module_putp) struct module *mod = NULL;
	struct module_info info = { .path = "", .device = image->file.st_dev,
				    .inode = image->file.st_ino };
	char path[PROC_MAPS_LINK_BYTES];
	int fd;

	proc_maps_link((uint32_t)a->pid, image->start, image->end, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	mod = module_new(&info, fd);
	return mod ? ask_slots(a, mod, image, 0, name) : -ENOMEM;
}

static int ask_importers(struct asking *a)
{
	_cleanup_free_ char *name = strndup(a->ifunc->symbol, strcspn(a->ifunc->symbol, "@"));
	int r = name ? 0 : -ENOMEM;

	for (size_t i = 0; i < a->count && !r && !a->choice; i++)
		if (!is_of_module(a, &a->images[i]))
			r = ask_importer(a, &a->images[i], name);
	return r;
}

static int ask_process(struct asking *a, pid_t pid)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_close_ int memory = -1;
	char path[64];
	size_t i;
	int r;

	a->pid = pid;
	r = read_images(a);
	for (i = 0; i < a->count; i++)
		if (is_of_module(a, &a->images[i]))
			break;
	if (r < 0 || i == a->count)
		return r;
	r = module_open(a->mod, &elf);
	r = r ?: read_bias(elf, &a->images[i], &a->bias);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	a->memory = memory = open(path, O_RDONLY | O_CLOEXEC);
	if (memory < 0)
		return 0;
	r = ask_slots(a, a->mod, &a->images[i], a->ifunc->address, NULL);
	if (!r && !a->choice)
		r = ask_importers(a);
	a->silent += !a->choice;
	return r;
}

/* We are one ourselves: most have the same C library. */
static int ask_any(struct asking *a)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int r = ask_process(a, getpid());

	while (proc && !r && !a->choice && a->silent < SILENT_MAX && (entry = readdir(proc))) {
		uint64_t pid;

		if (!number_parse_u64(entry->d_name, INT32_MAX, &pid))
			r = ask_process(a, (pid_t)pid);
	}
	if (proc)
		closedir(proc);
	return r;
}

/* Of stripped code the size is known by its unwind information. */
static int fill(const struct asking *a, struct function_entry *ret)
{
	_cleanup_(fde_starts_closep) struct fde_starts *starts = NULL;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct function_entry function = *a->ifunc;
	uint64_t start, size;
	int r = module_open(a->mod, &elf);

	function.address = a->choice;
	function.is_ifunc = false;
	function.size = 0;
	r = r ?: elf_file_address_to_offset(elf, a->choice, &function.offset);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	if (fde_starts_open(a->mod, &starts) == -ENOMEM)
		return -ENOMEM;
	if (starts && !fde_starts_range(starts, a->choice, &start, &size) && start == a->choice)
		function.size = size;
	*ret = function;
	return 0;
}

int ifunc_choice_read(struct module *mod, const struct function_entry *ifunc,
		      const struct probe_targets *targets, struct function_entry *ret)
{
	struct asking asking = { .mod = mod, .ifunc = ifunc };
	int r = 0;

	for (size_t i = 0; i < targets->pid_count && !targets->command && !r && !asking.choice; i++)
		r = ask_process(&asking, targets->pids[i]);
	if (!r && !asking.choice)
		r = ask_any(&asking);
	free(asking.images);
	if (r < 0 || !asking.choice)
		return r ?: -ENOENT;
	return fill(&asking, ret);
}
