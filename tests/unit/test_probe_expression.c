/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <string.h>

#include "profiler/expressions/probe_expression.h"
#include "profiler/kernel_types/btf_types.h"
#include "tests/unit/layout_text.h"
#include "tests/unit/probe_scopes.h"

static const struct compile_case {
	const char *name;
	enum probe_scope_kind scope;
	struct probe_request request;
	const char *expected;		/* as layout_text.h says */
} compile_cases[] = {
	{ "without a list every argument that can be read is shown",
	  UPROBE,
	  { 0 },
	  "fd=rdi.s4 path=*rsi.text256.U file=rdx.u8/hex count=rcx.u8 list=r9.u8/hex "
	  "data=*rsp+8.u8.U/hex on_stack=*rsp+16.s8.U" },
	{ "the result comes last",
	  FN,
	  { 0 },
	  "fd=rdi.s4.E path=*rsi.text256.UE file=rdx.u8.E/hex count=rcx.u8.E list=r9.u8.E/hex "
	  "data=*rsp+8.u8.UE/hex on_stack=*rsp+16.s8.UE ret=rax.s4" },
	{ "a return alone has no arguments", URETPROBE, { 0 }, "ret=rax.s4" },
	{ "words of a context are counted by what each argument takes",
	  WORDS,
	  { 0 },
	  "fd=word0.s4 path=*word1.text256 file=word2.u8/hex count=word3.u8 list=word6.u8/hex "
	  "data=word7.u8/hex on_stack=word8.s8" },
	{ "of a context the result is behind the arguments",
	  FEXIT,
	  { 0 },
	  "fd=word0.s4 path=*word1.text256 file=word2.u8/hex count=word3.u8 list=word6.u8/hex "
	  "data=word7.u8/hex on_stack=word8.s8 ret=word9.s4" },
	{ "nothing is known of a function without debug information", BARE, { 0 }, "ret=rax.s8" },
	{ "fields of a record",
	  RECORD,
	  { 0 },
	  "comm=*record+8.text16 prio=*record+24.s4 ~=*record+32.u8 filename=*v2.text256.U "
	  "device=*record+40.text256.L args=*record+48.bytes48 ~=*record+96.u8 "
	  "saddr=*packet2(v6).bytes16/ip flags=packet7(v6).u1/tcp file=*record+104.u8/hex" },
	{ "an empty list shows nothing", UPROBE, { .show = "" }, "" },
	{ "arguments by name and by number",
	  UPROBE,
	  { .show = "fd+arg1+count+arg4" },
	  "fd=rdi.s4 arg1=rdi.s4 count=rcx.u8 arg4=rcx.u8" },
	{ "arguments of an unknown function",
	  BARE,
	  { .show = "arg1+arg2+arg3+arg4+arg5+arg6+arg7+arg8+ret" },
	  "arg1=rdi.s8.E arg2=rsi.s8.E arg3=rdx.s8.E arg4=rcx.s8.E arg5=r8.s8.E arg6=r9.s8.E "
	  "arg7=*rsp+8.s8.UE arg8=*rsp+16.s8.UE ret=rax.s8" },
	{ "the task",
	  UPROBE,
	  { .show = "pid+tid+uid+comm+cgroup+cpu" },
	  "pid=pid.u4 tid=tid.u4 uid=uid.u4 comm=*comm.text16 cgroup=cgroup.u8 cpu=cpu.u4" },
	{ "a latency", FN, { .show = "latency+ret" }, "latency=latency.u8/ns ret=rax.s4" },
	{ "a member through pointers",
	  UPROBE,
	  { .show = "file->f_path.dentry->d_name.name" },
	  "file->f_path.dentry->d_name.name=*rdx[24][40].text256.U" },
	{ "a member by '.' through a pointer",
	  UPROBE,
	  { .show = "file.f_flags" },
	  "file.f_flags=*rdx+32.u4.U" },
	{ "members of all kinds",
	  UPROBE,
	  { .show = "file->f_mode+file->state+file->name+file->mac+file->ok+file->grade+file->level" },
	  "file->f_mode=*rdx+36.u4:2,3.U file->state=*rdx+40.s4.U/enum "
	  "file->name=*rdx+44.text16.U file->mac=*rdx+60.bytes6.U file->ok=*rdx+104.u1.U/bool "
	  "file->grade=*rdx+105.s1.U/char file->level=*rdx+106.s2.U" },
	{ "a struct in a register",
	  UPROBE,
	  { .show = "pair.a+pair.b" },
	  "pair.a=r8.u8:0,32 pair.b=r8.s8:32,32" },
	{ "a struct in a word", WORDS, { .show = "pair.b" }, "pair.b=word5.s8:32,32" },
	{ "a text of C++",
	  UPROBE,
	  { .show = "file->title+file->title:str[10]" },
	  "~=*rdx+112.u8.U file->title=*rdx[120].bytes256#v0.U/text "
	  "file->title=*rdx[120].bytes10#v0.U/text" },
	{ "a reference",
	  UPROBE,
	  { .show = "file->owner+file->owner:x" },
	  "file->owner=*rdx[128].s4.U file->owner=*rdx[128].u4.U/hex" },
	{ "elements",
	  UPROBE,
	  { .show = "file->numbers[3]+list[2]+*list+data" },
	  "file->numbers[3]=*rdx+92.s4.U list[2]=*r9[16].text256.U *list=*r9[0].text256.U "
	  "data=*rsp+8.u8.U/hex" },
	{ "what is pointed to",
	  UPROBE,
	  { .show = "(*file).f_flags+*path" },
	  "(*file).f_flags=*rdx+32.u4.U *path=*rsi.s1.U/char" },
	{ "as many pointers as can be followed",
	  BARE,
	  { .show = "*******arg1" },
	  "*******arg1=*rdi[0][0][0][0][0][0].s8.UE" },
	{ "an address",
	  UPROBE,
	  { .show = "&file->name+&file->f_path.dentry->d_name" },
	  "&file->name=rdx+44.u8/hex &file->f_path.dentry->d_name=rdx[24]+32.u8.U/hex" },
	{ "an address of what was followed is followed again",
	  UPROBE,
	  { .show = "*&file->f_flags+(&file->f_path)->dentry" },
	  "*&file->f_flags=*rdx+32.u4.U (&file->f_path)->dentry=*rdx+24.u8.U/hex" },
	{ "a cast",
	  UPROBE,
	  { .show = "((struct file *)data)->f_flags+(struct dentry *)arg4+(short)fd+(char)fd" },
	  "((struct file *)data)->f_flags=*rsp[8]+32.u4.U (struct dentry *)arg4=rcx.u8/hex "
	  "(short)fd=rdi.s2 (char)fd=rdi.s1/char" },
	{ "a cast needs no debug information for what C has itself",
	  BARE,
	  { .show = "*(unsigned short *)arg1+((int*)arg2)[3]" },
	  "*(unsigned short *)arg1=*rdi.u2.UE ((int*)arg2)[3]=*rsi+12.s4.UE" },
	{ "how it is read",
	  UPROBE,
	  { .show = "fd:x+count:u32+path:x+data:str+data:str[64]+count:s8" },
	  "fd=rdi.u4/hex count=rcx.u4 path=rsi.u8/hex data=*rsp[8].text256.U "
	  "data=*rsp[8].text64.U count=rcx.s1" },
	{ "how it is read without a type",
	  BARE,
	  { .show = "arg1:s32+arg2:str+*arg1:u16+arg1[3]:str+arg1[3]+ret:errno+arg2:ns" },
	  "arg1=rdi.s4.E arg2=*rsi.text256.UE *arg1=*rdi.u2.UE arg1[3]=*rdi[24].text256.UE "
	  "arg1[3]=*rdi+24.s8.UE ret=rax.s8/errno arg2=rsi.u8.E/ns" },
	{ "bytes",
	  UPROBE,
	  { .show = "data:bytes[16]+file->mac:bytes[4]+*file:bytes[32]" },
	  "data=*rsp[8].bytes16.U file->mac=*rdx+60.bytes4.U *file=*rdx.bytes32.U" },
	{ "as many bytes as another value says",
	  UPROBE,
	  { .show = "data:bytes[count]" },
	  "~=rcx.u8 data=*rsp[8].bytes256#v0.U" },
	{ "as many bytes as are returned",
	  SYSCALL,
	  { .show = "data:bytes[ret]" },
	  "~=rax.s4 ~=rsp[8].u8.UE data=*v1.bytes256#v0.U" },
	{ "a text that may become resident",
	  SYSCALL,
	  { .show = "path+fd" },
	  "path=*rsi.text256.UEA fd=rdi.s4.E" },
	{ "names for values",
	  UPROBE,
	  { .show = "a=fd+ flags = file->f_flags:x" },
	  "a=rdi.s4 flags=*rdx+32.u4.U/hex" },
	{ "spaces do not matter",
	  UPROBE,
	  { .show = " file -> f_flags : x + fd " },
	  "file -> f_flags=*rdx+32.u4.U/hex fd=rdi.s4" },
	{ "a bare name of a field goes before what is always there",
	  RECORD,
	  { .show = "comm+pid" },
	  "comm=*record+8.text16 pid=pid.u4" },
	{ "memory of the kernel that leads to the task's",
	  RECORD,
	  { .show = "filename+filename:x+filename:str[8]" },
	  "~=*record+32.u8 filename=*v0.text256.U filename=*record+32.u8/hex "
	  "filename=*v0.text8.U" },
	{ "elements of a field",
	  RECORD,
	  { .show = "args[1]+args:bytes[8]+device+device:str[8]" },
	  "args[1]=*record+56.u8 args=*record+48.bytes8 device=*record+40.text256.L "
	  "device=*record+40.text8.L" },
	{ "a packet",
	  RECORD,
	  { .show = "saddr+flags" },
	  "~=*record+96.u8 saddr=*packet2(v0).bytes16/ip flags=packet7(v0).u1/tcp" },
	{ "a field whose type is named",
	  RECORD,
	  { .show = "file->f_flags" },
	  "file->f_flags=*record[104]+32.u4" },
	{ "texts share what room there is",
	  UPROBE,
	  { .show = "path+path+path+path+path+path+path+path+path+path" },
	  "path=*rsi.text200.U path=*rsi.text200.U path=*rsi.text200.U path=*rsi.text200.U "
	  "path=*rsi.text200.U path=*rsi.text200.U path=*rsi.text200.U path=*rsi.text200.U "
	  "path=*rsi.text200.U path=*rsi.text200.U" },
	{ "a sum is what is shown already",
	  UPROBE,
	  { .show = "fd+count", .sum = "count" },
	  "fd=rdi.s4 count=rcx.u8 sum v1" },
	{ "a sum is not shown if it was not asked for",
	  UPROBE,
	  { .show = "fd", .sum = "count" },
	  "fd=rdi.s4 ~=rcx.u8 sum v1" },
	{ "a sum of a pointer to text is its address",
	  UPROBE,
	  { .show = "", .sum = "path" },
	  "~=rsi.u8 sum v0" },
	{ "labels",
	  UPROBE,
	  { .show = "fd", .labels = "path+fd+comm" },
	  "fd=rdi.s4 ~=*rsi.text256.U ~=*comm.text16 label v1 'path' label v0 'fd' label v2 "
	  "'comm'" },
	{ "a label with a name of its own",
	  UPROBE,
	  { .show = "fd", .labels = "x=fd" },
	  "fd=rdi.s4 ~=rdi.s4 label v1 'x'" },
};

static void compile_row(void **state)
{
	const struct compile_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct probe_layout layout;
	struct error err = { 0 };

	memset(&layout, 0x5a, sizeof(layout));
	if (probe_compile(&c->request, &probe_scopes[c->scope], &layout, &err) < 0)
		fail_msg("%s", err.text);
	layout_text_write(&layout, &text);
	assert_string_equal(text.data, c->expected);
	assert_int_equal(err.code, 0);
}

/* Offsets are the kernel's; what leads where is not. */
static void test_kernel(void **state)
{
	_cleanup_(btf_types_closep) struct btf_types *types = NULL;
	const struct probe_request request = {
		.show = "file->f_path.dentry->d_name.name+count",
		.filter = "((struct task_struct *)buf)->comm == \"x\"",
	};
	static struct type_function function;
	struct probe_scope scope = { .function = &function, .what = "kprobe of vfs_read" };
	struct probe_layout layout;
	struct error err = { 0 };

	if (btf_types_open(&types) < 0)
		skip();
	assert_int_equal(btf_types_function(types, "vfs_read", &function), 0);
	scope.types = btf_types_provider(types);
	if (probe_compile(&request, &scope, &layout, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(layout.site.value_count, 3);
	assert_int_equal(layout.site.values[0].form, PROBE_TEXT);
	assert_int_equal(layout.site.values[0].index, PROBE_RDI);
	assert_int_equal(layout.site.values[0].step_count, 2);
	assert_int_equal(layout.site.values[1].index, PROBE_RDX);
	assert_string_equal(layout.values[1].type, "size_t");
	assert_int_equal(layout.site.values[2].form, PROBE_TEXT);
	assert_int_equal(layout.site.values[2].size, 16);
	assert_int_equal(layout.site.values[2].step_count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("functions of this kernel are read by its own types", test_kernel),
	};

	return unit_run_rows("compile", compile_row, UNIT_ROWS(compile_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
