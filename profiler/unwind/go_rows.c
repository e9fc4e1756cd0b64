/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/go_rows.h"

#include <errno.h>
#include <string.h>

/* Assembly sets up its frame at once, or behind a check of the stack's size. */
#define PROLOGUE_BYTES_MAX 64
#define RETURN_ADDRESS_BYTES 8
#define SAVED_FP_OFFSET (-16)
/* Larger frames are damage: goroutine stacks end at 1 GiB. */
#define DELTA_MAX (1 << 30)

/*
 * Assembly that is not what its flags say, or that had none in Go 1.16:
 *
 * - mcall and morestack leave the goroutine for good: it is saved, and may be
 *   running on another thread while its old one is still inside of the call.
 *   gogo goes the other way. Go's traceback ends there, too.
 * - sigtramp has the flag of a top frame, but above it is the signal frame, and
 *   the goroutine that the signal has interrupted.
 * - asyncPreempt is where a signal makes its goroutine go on: that calls it at any instruction.
 */
static const struct known_function {
	const char *name;
	enum { ENDS_STACK, SWITCHES_STACK, HAS_DELTAS, INTERRUPTS } what;
} known_functions[] = {
	{ "runtime.goexit", ENDS_STACK },
	{ "runtime.mstart", ENDS_STACK },
	{ "runtime.rt0_go", ENDS_STACK },
	{ "runtime.mcall", ENDS_STACK },
	{ "runtime.morestack", ENDS_STACK },
	{ "runtime.gogo", ENDS_STACK },
	{ "runtime.sigtramp", HAS_DELTAS },
	{ "runtime.asyncPreempt", INTERRUPTS },
	{ "runtime.systemstack", SWITCHES_STACK },
	{ "runtime.asmcgocall", SWITCHES_STACK },
	{ "runtime.cgocallback", SWITCHES_STACK },
	{ "runtime.nanotime1", SWITCHES_STACK },
	{ "runtime.walltime", SWITCHES_STACK },
	{ "time.now", SWITCHES_STACK },
};

int go_rows_init(struct go_rows *rows, struct elf_file *elf, struct special_code *code)
{
	int r;

	*rows = (struct go_rows){ .code = code };
	r = go_table_open(elf, code, &rows->table);
	/* Each pair of two numbers takes two bytes, and few of them are read twice. */
	rows->budget = 2 * (uint64_t)rows->table.size;
	return r == -ENOMEM ? r : 0;
}

bool go_rows_has(const struct go_rows *rows, uint64_t address)
{
	return rows->table.count && address >= go_table_start(&rows->table) &&
	       address < go_table_end(&rows->table);
}

uint64_t go_rows_function_end(const struct go_rows *rows, uint64_t address)
{
	struct go_function function;
	uint64_t i;

	for (i = rows->next; i < rows->table.count; i++) {
		if (go_table_function(&rows->table, i, &function) < 0)
			continue;
		if (function.start > address)
			break;
		if (address < function.end)
			return function.end;
	}
	return address;
}

/* How much the function has on the stack at @address; negative: not known. */
static int32_t delta_at(struct go_rows *rows, const struct go_function *function, uint64_t address)
{
	struct go_deltas deltas;

	go_deltas_start(&deltas, &rows->table, function);
	while (rows->budget && go_deltas_next(&deltas)) {
		rows->budget--;
		if (address < deltas.end)
			return deltas.delta;
	}
	return -1;
}

/*
 * Where the distance from rsp to rbp is set, if the instructions at @bytes set rbp from rsp:
 * mov %rsp,%rbp, or lea N(%rsp),%rbp as Go 1.20 and older have it. Returns their size.
 */
static size_t sets_fp(const uint8_t *bytes, size_t room, int32_t *ret)
{
	static const uint8_t mov[] = { 0x48, 0x89, 0xe5 };
	static const uint8_t lea8[] = { 0x48, 0x8d, 0x6c, 0x24 };
	static const uint8_t lea32[] = { 0x48, 0x8d, 0xac, 0x24 };

	*ret = 0;
	if (room >= sizeof(mov) && !memcmp(bytes, mov, sizeof(mov)))
		return sizeof(mov);
	if (room > sizeof(lea8) && !memcmp(bytes, lea8, sizeof(lea8))) {
		*ret = (int8_t)bytes[sizeof(lea8)];
		return sizeof(lea8) + 1;
	}
	if (room >= sizeof(lea32) + 4 && !memcmp(bytes, lea32, sizeof(lea32))) {
		memcpy(ret, bytes + sizeof(lea32), 4);
		return sizeof(lea32) + 4;
	}
	return 0;
}

/*
 * Find the end of the prologue that leaves rbp pointing to the caller's, right
 * below the return address. Only the linker knows whether it has given one to a
 * function of assembly, so its bytes are looked at.
 */
static bool find_prologue(struct go_rows *rows, struct go_frame *frame)
{
	const struct go_function *function = &frame->function;
	const struct text_segment *segment = special_code_segment(rows->code, function->start);
	const uint8_t *bytes;
	size_t room, at, size;
	int32_t distance;

	if (!segment || !segment->bytes)
		return false;
	bytes = segment->bytes + (function->start - segment->start);
	room = segment->end - function->start;
	if (room > function->end - function->start)
		room = function->end - function->start;
	for (at = 0; at < room && at < PROLOGUE_BYTES_MAX; at++) {
		size = sets_fp(bytes + at, room - at, &distance);
		if (!size || distance < 0 ||
		    delta_at(rows, function, function->start + at) != distance + 8)
			continue;
		frame->ready = function->start + at + size;
		return true;
	}
	return false;
}

static const struct known_function *find_known(const struct go_rows *rows,
					       const struct go_function *function)
{
	size_t i;

	if (!function->flags && rows->table.entry_bytes == 4)
		return NULL;
	for (i = 0; i < sizeof(known_functions) / sizeof(known_functions[0]); i++) {
		if (go_table_is_named(&rows->table, function, known_functions[i].name))
			return &known_functions[i];
	}
	return NULL;
}

static void frame_init(struct go_rows *rows, struct go_frame *frame)
{
	const struct go_function *function = &frame->function;
	const struct known_function *known = find_known(rows, function);
	bool assembly = known || (function->flags & (GO_ASSEMBLY | GO_WRITES_SP)), prologue;
	bool top = known ? known->what == ENDS_STACK : function->flags & GO_TOP_FRAME;
	bool switches = known ? known->what == SWITCHES_STACK : function->flags & GO_WRITES_SP;

	frame->ready = function->start;
	frame->by_deltas = function->deltas != 0;
	prologue = assembly && !top && find_prologue(rows, frame);
	frame->saves_fp = prologue || !assembly;
	frame->switches_stack = switches && prologue;
	frame->interrupts = known && known->what == INTERRUPTS;
	/* Where only its rsp is lost, nobody can tell where the stack goes on. */
	if (top || (switches && !prologue)) {
		frame->by_deltas = false;
		frame->rule.kind = UNWIND_END;
	}
}

/* Go code keeps no register but rbp. */
static struct unwind_rule frame_rule(const struct go_frame *frame, uint64_t address, int32_t delta)
{
	struct unwind_rule rule = { 0 };
	bool ready = address >= frame->ready;

	if (delta < 0 || delta > DELTA_MAX)
		return rule;
	if (frame->switches_stack && ready && delta > 0) {
		rule.kind = UNWIND_OTHER_STACK;
		return rule;
	}
	rule.kind = UNWIND_CFA_RSP | UNWIND_RBX_LOST << UNWIND_RBX_SHIFT;
	rule.cfa_offset = delta + RETURN_ADDRESS_BYTES;
	if (frame->saves_fp && ready && delta > 0) {
		rule.fp = UNWIND_FP_CFA;
		rule.fp_offset = SAVED_FP_OFFSET;
	}
	if (frame->interrupts)
		rule.fp |= UNWIND_INTERRUPTED;
	return rule;
}

void go_rows_start(struct go_rows *rows, uint64_t from, uint64_t to)
{
	rows->at = from;
	rows->to = to;
	rows->inside = false;
}

/* Begin the function that @rows->at is in, or say where the next one starts. */
static bool begin_function(struct go_rows *rows, uint64_t *ret_start)
{
	struct go_function function;

	for (; rows->next < rows->table.count; rows->next++) {
		/* Those out of order are passed over. */
		if (go_table_function(&rows->table, rows->next, &function) < 0 ||
		    function.end <= rows->at)
			continue;
		*ret_start = function.start;
		if (function.start > rows->at)
			return false;
		rows->frame = (struct go_frame){ .function = function };
		frame_init(rows, &rows->frame);
		go_deltas_start(&rows->deltas, &rows->table, &function);
		return true;
	}
	*ret_start = UINT64_MAX;
	return false;
}

/* The row at @rows->at of the function there. Returns where it ends. */
static uint64_t function_row(struct go_rows *rows, struct unwind_rule *ret)
{
	const struct go_frame *frame = &rows->frame;
	struct go_deltas *deltas = &rows->deltas;
	uint64_t end = frame->function.end;

	*ret = frame->rule;
	if (!frame->by_deltas)
		return end;
	while (deltas->end <= rows->at) {
		if (!rows->budget || !go_deltas_next(deltas))
			return end;	/* damaged: the rest has no rule */
		rows->budget--;
	}
	*ret = frame_rule(frame, rows->at, deltas->delta);
	if (deltas->end < end)
		end = deltas->end;
	if (rows->at < frame->ready && end > frame->ready)
		end = frame->ready;
	return end;
}

bool go_rows_next(struct go_rows *rows, struct go_row *ret)
{
	struct go_row row = { .start = rows->at };
	uint64_t end;

	if (rows->at >= rows->to)
		return false;
	if (!rows->inside || rows->at >= rows->frame.function.end)
		rows->inside = begin_function(rows, &end);
	if (rows->inside)
		end = function_row(rows, &row.rule);
	rows->at = end < rows->to ? end : rows->to;
	*ret = row;
	return true;
}
