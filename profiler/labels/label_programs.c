/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/labels/label_programs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/hashmap.h"
#include "profiler/base/intern.h"
#include "profiler/processes/main_module.h"
#include "profiler/processes/proc_instance.h"
#include "profiler/resolve.h"
#include "profiler/window.h"

struct instance {
	uint64_t start_ns;
	uint32_t pid, exec_id;	/* exec_id 0: any, the key of the newest one */
};

struct label_programs {
	struct hashmap *paths;	/* struct instance to the number of its text, 0: not known */
	struct hashmap *newest;	/* struct instance with exec_id 0 to the newest that was seen */
	struct intern *texts;
};

struct label_programs *label_programs_new(void)
{
	_cleanup_(label_programs_freep) struct label_programs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->paths = hashmap_new(sizeof(struct instance), sizeof(uint32_t));
	p->newest = hashmap_new(sizeof(struct instance), sizeof(uint32_t));
	p->texts = intern_new();
	return p->paths && p->newest && p->texts ? take_ptr(p) : NULL;
}

struct label_programs *label_programs_free(struct label_programs *p)
{
	if (!p)
		return NULL;
	hashmap_free(p->paths);
	hashmap_free(p->newest);
	intern_free(p->texts);
	free(p);
	return NULL;
}

static struct instance instance_of(const struct wick_task *task)
{
	return (struct instance){ .start_ns = task->start_ns, .pid = task->pid,
				  .exec_id = task->exec_id };
}

static bool is_newest(const struct label_programs *p, const struct instance *instance)
{
	struct instance any = { .start_ns = instance->start_ns, .pid = instance->pid };
	const uint32_t *newest = hashmap_find(p->newest, &any);

	return !newest || *newest == instance->exec_id;
}

static int set_path(struct label_programs *p, const struct instance *instance, const char *path)
{
	uint32_t text;
	void *value;
	int r = intern_add_text(p->texts, path, &text);

	if (r < 0)
		return r;
	r = hashmap_add(p->paths, instance, &value);
	if (r < 0)
		return r;
	*(uint32_t *)value = text;
	return 0;
}

/* ---- by /proc ---- */

static void note_newest(struct label_programs *p, const struct window *window)
{
	const struct wick_task *task;
	size_t position = 0;
	void *value;

	while ((task = window_next_task(window, &position))) {
		struct instance any = { .start_ns = task->start_ns, .pid = task->pid };
		uint32_t *newest;

		if (hashmap_add(p->newest, &any, &value) < 0)
			continue;
		newest = value;
		if (task->exec_id > *newest)
			*newest = task->exec_id;
	}
}

/* "" when it cannot be known. */
static void read_path(const struct instance *instance, char *ret, size_t size)
{
	static const char deleted[] = " (deleted)";
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%u/exe", instance->pid);
	length = readlink(link, ret, size - 1);
	/* Asked afterwards: by then the number could be another process's. */
	if (length < 0 || !proc_instance_is(instance->pid, instance->start_ns))
		length = 0;
	ret[length] = '\0';
	if (length > (ssize_t)strlen(deleted) &&
	    !strcmp(ret + length - strlen(deleted), deleted))
		ret[length - strlen(deleted)] = '\0';
}

void label_programs_note(struct label_programs *p, const struct window *window)
{
	const struct wick_task *task;
	size_t position = 0;
	char path[PATH_MAX];

	note_newest(p, window);
	while ((task = window_next_task(window, &position))) {
		struct instance instance = instance_of(task);

		if (task->flags & WICK_TASK_KERNEL || hashmap_find(p->paths, &instance))
			continue;
		path[0] = '\0';
		if (is_newest(p, &instance))
			read_path(&instance, path, sizeof(path));
		/* Without memory it stays unknown. */
		set_path(p, &instance, path);
	}
}

/* ---- by stacks ---- */

static int learn_sample(struct label_programs *p, const struct resolve_options *options,
			const struct window_sample *sample)
{
	const struct wick_task *task = window_task(options->window, sample->key.task);
	_cleanup_(module_putp) struct module *module = NULL;
	struct instance instance;
	const uint32_t *text;

	if (!task || task->flags & WICK_TASK_KERNEL)
		return 0;
	instance = instance_of(task);
	text = hashmap_find(p->paths, &instance);
	if (text && *text && is_newest(p, &instance))
		return 0;
	module = main_module_of_stack(options, sample->key.user_stack);
	return module ? set_path(p, &instance, module_info(module)->path) : 0;
}

int label_programs_learn(struct label_programs *p, const struct resolve_options *options)
{
	const struct window_event *events;
	struct window_sample sample;
	size_t position = 0, count;
	int r = 0;

	while (!r && window_next_sample(options->window, &position, &sample))
		r = learn_sample(p, options, &sample);
	events = window_events(options->window, &count);
	for (size_t i = 0; i < count && !r; i++)
		r = learn_sample(p, options, &events[i].sample);
	return r;
}

const char *label_programs_find(const struct label_programs *p, const struct wick_task *task)
{
	struct instance instance = instance_of(task);
	const uint32_t *text = hashmap_find(p->paths, &instance);

	return text && *text ? intern_text(p->texts, *text) : NULL;
}
