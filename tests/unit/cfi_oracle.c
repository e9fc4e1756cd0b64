/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cfi_oracle.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>

#include "profiler/base/alloc.h"

#define STACK_MAX 16
#define OPS_MAX 3
#define DWARF_RBX 3
#define DWARF_RBP 6

struct range {
	uint64_t start, end;
};

struct oracle {
	int fd;
	Elf *elf;
	Dwarf *dwarf;
	Dwarf_CFI *cfi;
	struct range *fdes;
	size_t count, capacity;
};

void machine_init(struct machine *m)
{
	size_t i;

	for (i = 0; i < MACHINE_REGISTERS; i++)
		m->regs[i] = 0x600000010000 + i * 0x1238;
	m->regs[7] = 0x600000000000;
}

uint64_t machine_memory(uint64_t address)
{
	uint64_t hash = (address ^ address >> 31) * 0x9E3779B97F4A7C15ull;

	return 0x700000000000 | (hash >> 20 & 0x0ffffffffff8);
}

struct oracle *oracle_close(struct oracle *oracle)
{
	if (!oracle)
		return NULL;
	if (oracle->dwarf)
		dwarf_end(oracle->dwarf);
	else if (oracle->cfi)
		dwarf_cfi_end(oracle->cfi);
	if (oracle->elf)
		elf_end(oracle->elf);
	if (oracle->fd >= 0)
		close(oracle->fd);
	free(oracle->fdes);
	free(oracle);
	return NULL;
}

static Elf_Data *section_data(Elf *elf, const char *name, GElf_Shdr *ret_header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, ret_header) || ret_header->sh_type == SHT_NOBITS ||
		    strcmp(elf_strptr(elf, names, ret_header->sh_name), name))
			continue;
		if (ret_header->sh_flags & SHF_COMPRESSED && elf_compress(section, 0, 0) < 0)
			return NULL;
		return elf_rawdata(section, NULL);
	}
	return NULL;
}

/* The encodings that linkers write. Others make the test fail for lack of FDEs. */
static bool read_range(const struct oracle *oracle, const Elf_Data *data, uint64_t address,
		       const Dwarf_CIE *cie, const Dwarf_FDE *fde, struct range *ret)
{
	const char *letters = cie->augmentation;
	uint8_t encoding = DW_EH_PE_absptr;
	uint64_t size;
	int32_t wide;

	if (letters[0] == 'z' && strchr(letters, 'R')) {
		const uint8_t *at = cie->augmentation_data;

		for (letters++; *letters != 'R'; letters++)
			at += *letters == 'P' ? 5 : *letters == 'L' ? 1 : 0;
		encoding = *at;
	}
	if (encoding == (DW_EH_PE_pcrel | DW_EH_PE_sdata4)) {
		memcpy(&wide, fde->start, 4);
		ret->start = address + (uint64_t)(fde->start - (uint8_t *)data->d_buf) +
			     (uint64_t)(int64_t)wide;
		memcpy(&wide, fde->start + 4, 4);
		ret->end = ret->start + (uint32_t)wide;
		return true;
	}
	if (encoding != DW_EH_PE_absptr)
		return false;
	memcpy(&ret->start, fde->start, 8);
	memcpy(&size, fde->start + 8, 8);
	ret->end = ret->start + size;
	return true;
}

static void read_fdes(struct oracle *oracle, const Elf_Data *data, uint64_t address, bool eh_frame)
{
	unsigned char ident[EI_NIDENT];
	Dwarf_Off offset = 0, next;
	Dwarf_CFI_Entry entry, cie;
	struct range range;

	memcpy(ident, elf_getident(oracle->elf, NULL), EI_NIDENT);
	for (; dwarf_next_cfi(ident, (Elf_Data *)data, eh_frame, offset, &next, &entry) == 0;
	     offset = next) {
		Dwarf_Off unused;

		if (dwarf_cfi_cie_p(&entry))
			continue;
		if (dwarf_next_cfi(ident, (Elf_Data *)data, eh_frame, entry.fde.CIE_pointer,
				   &unused, &cie))
			continue;
		if (!read_range(oracle, data, address, &cie.cie, &entry.fde, &range) ||
		    range.start == range.end || !range.start)
			continue;
		if (alloc_grow(&oracle->fdes, &oracle->capacity, oracle->count + 1) < 0)
			return;
		oracle->fdes[oracle->count++] = range;
	}
}

struct oracle *oracle_open(const char *path, bool debug_frame)
{
	_cleanup_(oracle_closep) struct oracle *oracle = calloc(1, sizeof(*oracle));
	GElf_Shdr header;
	Elf_Data *data;

	if (!oracle)
		return NULL;
	elf_version(EV_CURRENT);
	oracle->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (oracle->fd < 0)
		return NULL;
	oracle->elf = elf_begin(oracle->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!oracle->elf)
		return NULL;
	data = section_data(oracle->elf, debug_frame ? ".debug_frame" : ".eh_frame", &header);
	if (!data)
		return NULL;
	read_fdes(oracle, data, debug_frame ? 0 : header.sh_addr, !debug_frame);
	if (debug_frame) {
		oracle->dwarf = dwarf_begin_elf(oracle->elf, DWARF_C_READ, NULL);
		oracle->cfi = oracle->dwarf ? dwarf_getcfi(oracle->dwarf) : NULL;
	} else {
		oracle->cfi = dwarf_getcfi_elf(oracle->elf);
	}
	return oracle->cfi ? take_ptr(oracle) : NULL;
}

bool oracle_fde(const struct oracle *oracle, size_t index, uint64_t *ret_start, uint64_t *ret_end)
{
	if (index >= oracle->count)
		return false;
	*ret_start = oracle->fdes[index].start;
	*ret_end = oracle->fdes[index].end;
	return true;
}

size_t oracle_fde_count(const struct oracle *oracle)
{
	return oracle->count;
}

int oracle_row(struct oracle *oracle, uint64_t address, struct oracle_row *ret)
{
	Dwarf_Frame *frame = NULL;
	Dwarf_Addr start, end;

	if (dwarf_cfi_addrframe(oracle->cfi, address, &frame) ||
	    dwarf_frame_info(frame, &start, &end, NULL) < 0) {
		free(frame);
		return -1;
	}
	*ret = (struct oracle_row){ .start = start, .end = end, .frame = frame };
	return 0;
}

/* A stack machine for the expressions that occur. */
struct evaluation {
	const struct machine *m;
	uint64_t cfa;
	uint64_t stack[STACK_MAX];
	size_t depth;
	bool is_value;		/* and not where the value is */
};

static int push(struct evaluation *e, uint64_t value)
{
	if (e->depth == STACK_MAX)
		return -1;
	e->stack[e->depth++] = value;
	return 0;
}

static int push_register(struct evaluation *e, uint64_t number, uint64_t offset)
{
	return number < MACHINE_REGISTERS ? push(e, e->m->regs[number] + offset) : -1;
}

static int apply(struct evaluation *e, uint8_t op)
{
	uint64_t right, *left;

	if (e->depth < 2)
		return -1;
	right = e->stack[--e->depth];
	left = &e->stack[e->depth - 1];
	switch (op) {
	case DW_OP_plus:
		*left += right;
		return 0;
	case DW_OP_minus:
		*left -= right;
		return 0;
	case DW_OP_mul:
		*left *= right;
		return 0;
	case DW_OP_and:
		*left &= right;
		return 0;
	case DW_OP_shl:
		*left <<= right;
		return 0;
	case DW_OP_ge:
		*left = (int64_t)*left >= (int64_t)right;
		return 0;
	default:
		return -1;
	}
}

static int evaluate_one(struct evaluation *e, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_register(e, op->atom - DW_OP_breg0, op->number);
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
		e->is_value = true;
		return push_register(e, op->atom - DW_OP_reg0, 0);
	}
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(e, op->atom - DW_OP_lit0);
	switch (op->atom) {
	case DW_OP_bregx:
		return push_register(e, op->number, op->number2);
	case DW_OP_regx:
		e->is_value = true;
		return push_register(e, op->number, 0);
	case DW_OP_call_frame_cfa:
		return push(e, e->cfa);
	case DW_OP_const1u ... DW_OP_consts:
		return push(e, op->number);
	case DW_OP_deref:
		if (!e->depth)
			return -1;
		e->stack[e->depth - 1] = machine_memory(e->stack[e->depth - 1]);
		return 0;
	case DW_OP_plus_uconst:
		if (!e->depth)
			return -1;
		e->stack[e->depth - 1] += op->number;
		return 0;
	case DW_OP_stack_value:
		e->is_value = true;
		return 0;
	default:
		return apply(e, op->atom);
	}
}

static int evaluate(struct evaluation *e, const Dwarf_Op *ops, size_t count, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (evaluate_one(e, &ops[i]) < 0)
			return -1;
	}
	if (!e->depth)
		return -1;
	*ret = e->stack[e->depth - 1];
	return 0;
}

enum where { IN_PLACE, UNDEFINED, SOMEWHERE };

/* The caller's value of register @number. */
static int caller_register(Dwarf_Frame *frame, int number, struct evaluation *e,
			   enum where *ret_where, uint64_t *ret, bool *ret_plain)
{
	Dwarf_Op memory[OPS_MAX], *ops;
	size_t count;

	if (dwarf_frame_register(frame, number, memory, &ops, &count))
		return -1;
	*ret_plain = true;
	if (count == 0) {
		*ret_where = ops == NULL ? IN_PLACE : UNDEFINED;
		*ret = e->m->regs[number];
		return 0;
	}
	*ret_where = SOMEWHERE;
	if (evaluate(e, ops, count, ret) < 0)
		return -1;
	*ret_plain = !e->is_value && (ops[0].atom == DW_OP_call_frame_cfa || count == 1);
	if (!e->is_value)
		*ret = machine_memory(*ret);
	return 0;
}

/* The return address: where it is, besides what it is. Returns -1 when it cannot be had. */
static int caller_ip(const struct oracle_row *row, const struct machine *m,
		     struct oracle_caller *caller)
{
	struct evaluation e = { .m = m, .cfa = caller->cfa };
	enum where where;
	bool plain;

	if (caller_register(row->frame, MACHINE_RIP, &e, &where, &caller->ip, &plain) < 0)
		return -1;
	caller->ends = where == UNDEFINED;
	caller->plain = caller->plain && plain && e.depth &&
			e.stack[e.depth - 1] == caller->cfa - 8;
	return where == IN_PLACE ? -1 : 0;
}

static int caller_cfa(const struct oracle_row *row, const struct machine *m,
		      struct oracle_caller *caller)
{
	struct evaluation e = { .m = m };
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_frame_cfa(row->frame, &ops, &count) || evaluate(&e, ops, count, &caller->cfa) < 0)
		return -1;
	caller->plain = count == 1 && (ops[0].atom == DW_OP_bregx ||
				       (ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31));
	return 0;
}

static int caller_fp(const struct oracle_row *row, const struct machine *m,
		     struct oracle_caller *caller)
{
	struct evaluation e = { .m = m, .cfa = caller->cfa };
	enum where where;

	if (caller_register(row->frame, DWARF_RBP, &e, &where, &caller->fp, &caller->fp_plain) < 0)
		return -1;
	caller->fp_known = where != UNDEFINED;
	return 0;
}

static int caller_rbx(const struct oracle_row *row, const struct machine *m,
		      struct oracle_caller *caller)
{
	struct evaluation e = { .m = m, .cfa = caller->cfa };
	uint64_t below;
	enum where where;
	bool plain;

	if (caller_register(row->frame, DWARF_RBX, &e, &where, &caller->rbx, &plain) < 0)
		return -1;
	caller->rbx_known = where != UNDEFINED;
	below = e.depth && !e.is_value ? caller->cfa - 8 - e.stack[e.depth - 1] : 0;
	caller->rbx_near = where == SOMEWHERE && below && below % 8 == 0 && below <= 14 * 8;
	return 0;
}

int oracle_caller(const struct oracle_row *row, const struct machine *m, struct oracle_caller *ret)
{
	struct oracle_caller caller = { .ends = false };

	/* The end needs no CFA, and often has none that makes sense. */
	if (caller_ip(row, m, &caller) == 0 && caller.ends) {
		*ret = caller;
		return 0;
	}
	if (caller_cfa(row, m, &caller) < 0 || caller_ip(row, m, &caller) < 0 ||
	    caller_fp(row, m, &caller) < 0 || caller_rbx(row, m, &caller) < 0)
		return -1;
	*ret = caller;
	return 0;
}
