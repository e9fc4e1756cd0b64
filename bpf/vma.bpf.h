/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vma.bpf.h - mappings of the current task as the kernel has them, of files that are known by then.
 *
 * Before user space has published the list of a process, its files mostly are known by others that
 * map them: then all that is missing is where this one has them. Read without a lock: another thread
 * may change the tree meanwhile, and then nothing is found, or what is found is not of the address,
 * which is checked.
 */
#ifndef WICK_VMA_BPF_H
#define WICK_VMA_BPF_H

#include "bpf/sampler_maps.bpf.h"
#include "bpf/stack_id.h"

#define VM_EXEC_FLAG 0x4ul
/* Of a tree with 65536 mappings, the most a process may have. Red-black ones are at most that deep. */
#define VMA_TREE_LEVELS 32
#define FILE_SEED 0x66696c65ull
#define FILE_VDSO 1ull
/* i_ctime_nsec has a flag above what a second has of them since 6.13. */
#define NSEC_MASK 0x3fffffffull

/* Until 6.1 a red-black tree (524e00b36e8c). */
struct mm_struct___rb {
	struct rb_root mm_rb;
} __attribute__((preserve_access_index));

struct vm_area_struct___rb {
	unsigned long vm_start, vm_end;
	struct rb_node vm_rb;
} __attribute__((preserve_access_index));

/* What i_ctime_sec was until 6.6 (13bc24457850), and until 6.11 (3aa63a569c64). */
struct inode___timespec {
	struct timespec64 i_ctime;
} __attribute__((preserve_access_index));

struct inode___private {
	struct timespec64 __i_ctime;
} __attribute__((preserve_access_index));

/* ---- the tree ---- */

/*
 * Maple trees: an entry that points to a node has its type in bits 3 to 6 (mte_node_type()). Slot i is
 * of addresses up to pivot i; pivots that are not used are 0.
 */
#define MAPLE_TYPE(entry) ((entry) >> 3 & 15)
#define MAPLE_NODE_MASK 255ull
#define MAPLE_PIVOTS_MAX 15

static __always_inline int maple_step(struct vma_search *v)
{
	__u64 address = v->address - 1, index = 0, pivot, type = MAPLE_TYPE(v->entry);
	__u32 pivots = type == maple_arange_64 ? 9 : MAPLE_PIVOTS_MAX;

	if (bpf_probe_read_kernel(v->node, sizeof(v->node), (void *)(v->entry & ~MAPLE_NODE_MASK)))
		return -1;
	for (__u32 i = 0; i < MAPLE_PIVOTS_MAX; i++) {
		if (i == pivots)
			break;
		/* One more where it is below. Without a branch: verifiers would follow each. */
		pivot = v->node[1 + i] - 1;
		index += ((pivot - address) & ~pivot) >> 63;
	}
	v->entry = v->node[(1 + pivots + index) & (VMA_NODE_WORDS - 1)];
	return type < maple_range_64;
}

static __always_inline int rb_step(struct vma_search *v)
{
	struct vm_area_struct___rb *vma;
	struct rb_node *node = (struct rb_node *)v->entry;

	vma = (void *)(v->entry - bpf_core_field_offset(struct vm_area_struct___rb, vm_rb));
	if (v->address < BPF_CORE_READ(vma, vm_start)) {
		v->entry = (__u64)BPF_CORE_READ(node, rb_left);
		return 0;
	}
	if (v->address >= BPF_CORE_READ(vma, vm_end)) {
		v->entry = (__u64)BPF_CORE_READ(node, rb_right);
		return 0;
	}
	v->entry = (__u64)vma;
	return 1;
}

/* One level down in scratch state @slot. Nonzero: at the end, where @entry is the mapping, or 0. */
__noinline int vma_step_slot(__u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct mm_struct *mm = NULL;
	int r;

	if (!s || !s->vmas.entry)
		return 1;
	if (bpf_core_field_exists(mm->mm_mt))
		r = maple_step(&s->vmas);
	else
		r = rb_step(&s->vmas);
	if (r < 0)
		s->vmas.entry = 0;
	return r;
}

static __always_inline __u64 vma_root(struct mm_struct *mm)
{
	struct mm_struct___rb *old = (void *)mm;
	__u64 root;

	if (!bpf_core_field_exists(mm->mm_mt))
		return (__u64)BPF_CORE_READ(old, mm_rb.rb_node);
	root = (__u64)BPF_CORE_READ(mm, mm_mt.ma_root);
	/* Of one mapping alone it is that one (xa_is_node()). */
	return (root & 3) == 2 ? root : 0;
}

/* ---- files ---- */

static __always_inline __u64 inode_changed(struct inode *inode)
{
	struct inode___timespec *old = (void *)inode;
	struct inode___private *private = (void *)inode;
	__u64 sec, nsec;

	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		sec = BPF_CORE_READ(inode, i_ctime_sec);
		nsec = BPF_CORE_READ(inode, i_ctime_nsec);
	} else if (bpf_core_field_exists(private->__i_ctime)) {
		sec = BPF_CORE_READ(private, __i_ctime.tv_sec);
		nsec = BPF_CORE_READ(private, __i_ctime.tv_nsec);
	} else {
		sec = BPF_CORE_READ(old, i_ctime.tv_sec);
		nsec = BPF_CORE_READ(old, i_ctime.tv_nsec);
	}
	return unwind_hash(sec, nsec & NSEC_MASK);
}

/* A file and what is in it: numbers of inodes are used again, and files are written anew in place. */
static __always_inline __u64 file_identity(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u64 hash = unwind_hash(FILE_SEED, BPF_CORE_READ(inode, i_ino));

	hash = unwind_hash(hash, BPF_CORE_READ(inode, i_sb, s_dev));
	hash = unwind_hash(hash, BPF_CORE_READ(inode, i_generation));
	hash = unwind_hash(hash, BPF_CORE_READ(inode, i_size));
	return unwind_hash(hash, inode_changed(inode));
}

/* 0: it is of no file. */
static __always_inline __u64 vma_identity(struct mm_struct *mm, struct vm_area_struct *vma,
					  __u64 start, __u64 offset)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);

	if (file)
		return wick_id(unwind_hash(file_identity(file), offset));
	return start == (__u64)BPF_CORE_READ(mm, context.vdso) ? FILE_VDSO : 0;
}

/* Whether return probes return there: the kernel calls it [uprobes]. */
static __always_inline int vma_is_uprobes(struct mm_struct *mm, __u64 start)
{
	struct xol_area *area;

	if (!bpf_core_field_exists(mm->uprobes_state.xol_area))
		return 0;
	area = BPF_CORE_READ(mm, uprobes_state.xol_area);
	return area && BPF_CORE_READ(area, vaddr) == start;
}

/* ---- both ---- */

/* Put what is known of the mapping of that file into @v. Nonzero: nothing yet. */
static __always_inline int vma_know(struct vma_search *v, __u64 start, __u64 identity)
{
	__u32 index = identity & (WICK_KNOWN_FILES - 1);
	volatile struct wick_known_file *known = bpf_map_lookup_elem(&known_files, &index);
	__u64 address;
	__u32 module;

	if (!known || known->identity != identity)
		return 1;
	address = known->address;
	module = known->module;
	barrier();
	/* Another one has taken its place meanwhile. */
	if (known->identity != identity)
		return 1;
	v->mapping.bias = start - address;
	v->mapping.module = module;
	return 0;
}

static __always_inline int vma_read(struct vma_search *v, struct mm_struct *mm)
{
	struct vm_area_struct *vma = (void *)v->entry;
	__u64 start = BPF_CORE_READ(vma, vm_start), end = BPF_CORE_READ(vma, vm_end);
	__u64 offset = BPF_CORE_READ(vma, vm_pgoff) << 12, identity;

	if (v->address < start || v->address >= end || BPF_CORE_READ(vma, vm_mm) != mm ||
	    !(BPF_CORE_READ(vma, vm_flags) & VM_EXEC_FLAG))
		return 1;
	identity = vma_identity(mm, vma, start, offset);
	if (!identity) {
		v->mapping.start = start;
		v->mapping.end = end;
		v->mapping.bias = 0;
		v->mapping.module = vma_is_uprobes(mm, start) ? UNWIND_MODULE_UPROBES :
								UNWIND_MODULE_NONE;
		return 0;
	}
	if (!vma_know(v, start, identity)) {
		v->mapping.start = start;
		v->mapping.end = end;
		return 0;
	}
	v->unknown.identity = identity;
	v->unknown.start = start;
	v->unknown.offset = offset;
	return 1;
}

/*
 * Before a step of the walk in scratch state @slot: find the mapping that it is in, into vmas.mapping.
 * Global, as the step is, and beside it, not below.
 */
__noinline int vma_find_slot(__u32 slot)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (!s || !mm)
		return 1;
	s->vmas.address = s->unwind.flags & UNWIND_EXACT ? s->unwind.ip : s->unwind.ip - 1;
	if (s->vmas.address >= s->vmas.mapping.start && s->vmas.address < s->vmas.mapping.end)
		return 0;
	s->vmas.mapping.start = s->vmas.mapping.end = 0;
	s->vmas.entry = vma_root(mm);
	for (int i = 0; i < VMA_TREE_LEVELS; i++)
		if (vma_step_slot(slot))
			break;
	return s->vmas.entry ? vma_read(&s->vmas, mm) : 1;
}

#endif
