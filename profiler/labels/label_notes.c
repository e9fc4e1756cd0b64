/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/labels/label_notes.h"

#include <bpf/btf.h>
#include <errno.h>

#include "profiler/labels/label_files.h"
#include "profiler/labels/label_programs.h"
#include "profiler/labels/labels.h"
#include "profiler/processes/cgroup.h"
#include "profiler/processes/cgroup_names.h"
#include "profiler/session.h"

struct label_notes {
	struct cgroup_names *cgroups;		/* each NULL when it is not wanted */
	struct label_programs *programs;
	struct label_files *files;
};

static struct cgroup_names *open_cgroups(int32_t subsystem)
{
	struct btf *btf = btf__load_vmlinux_btf();
	_cleanup_free_ char *folder = btf ? cgroup_folder_find(subsystem, btf) : NULL;
	_cleanup_free_ char *controller = btf ? cgroup_controller_find(subsystem, btf) : NULL;

	btf__free(btf);
	return cgroup_names_new(folder, controller);
}

int label_notes_new(uint64_t wanted, int32_t cgroup_subsystem, struct label_notes **ret)
{
	bool cgroups = labels_details(wanted) & WICK_DETAIL_BIT(CGROUP);
	bool programs = wanted & session_label_bit("exe");
	bool files = wanted & session_label_bit("file");
	_cleanup_(label_notes_freep) struct label_notes *notes = calloc(1, sizeof(*notes));

	if (!notes)
		return -ENOMEM;
	notes->cgroups = cgroups ? open_cgroups(cgroup_subsystem) : NULL;
	notes->programs = programs ? label_programs_new() : NULL;
	if (files)
		notes->files = label_files_new(wanted & session_label_bit("address"));
	if ((cgroups && !notes->cgroups) || (programs && !notes->programs) ||
	    (files && !notes->files))
		return -ENOMEM;
	*ret = take_ptr(notes);
	return 0;
}

struct label_notes *label_notes_free(struct label_notes *notes)
{
	if (!notes)
		return NULL;
	cgroup_names_free(notes->cgroups);
	label_programs_free(notes->programs);
	label_files_free(notes->files);
	free(notes);
	return NULL;
}

void label_notes_add(struct label_notes *notes, const struct window *window)
{
	if (notes->cgroups)
		cgroup_names_note(notes->cgroups, window);
	if (notes->programs)
		label_programs_note(notes->programs, window);
}

int label_notes_learn(struct label_notes *notes, const struct resolve_options *options)
{
	return notes->programs ? label_programs_learn(notes->programs, options) : 0;
}

const char *label_notes_cgroup(const struct label_notes *notes, uint64_t id)
{
	return notes->cgroups ? cgroup_names_find(notes->cgroups, id) : NULL;
}

const char *label_notes_cgroup_of(const struct label_notes *notes, const struct wick_task *task)
{
	return notes->cgroups ? cgroup_names_of_task(notes->cgroups, task) : NULL;
}

const char *label_notes_program(const struct label_notes *notes, const struct wick_task *task)
{
	return notes->programs ? label_programs_find(notes->programs, task) : NULL;
}

const char *label_notes_file(const struct label_notes *notes, uint64_t number)
{
	return notes->files ? label_files_text(notes->files, number) : NULL;
}

struct label_files *label_notes_files(struct label_notes *notes)
{
	return notes->files;
}
