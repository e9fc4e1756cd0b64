/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/argument_programs.h"

#include "profiler/base/cleanup.h"

static const char c_source[] =
	"struct pair { long a, b; };\n"
	"struct small { int x; short y; char z; };\n"
	"struct big { long a, b, c; };\n"
	"struct mixed { long a; double d; };\n"
	"struct flags { unsigned a : 3, b : 7; int c : 9; unsigned long d : 40; };\n"
	"enum color { RED = -5, GREEN = 7 };\n"
	"struct __attribute__((packed)) packed { char a; long b; };\n"
	"#define KEEP __attribute__((noinline)) \n"
	"#ifdef CALLEE\n"
	"#define BODY BODY_OF(return sink;)\n"
	"#define BODY_OF(...) { __asm__ volatile(\"# %0\" :: \"i\"(__LINE__) : \"memory\"); __VA_ARGS__ }\n"
	"volatile int sink;\n"
	"#else\n"
	"#define BODY ;\n"
	"#define BODY_OF(...) ;\n"
	"extern volatile int sink;\n"
	"#endif\n"
	"KEEP int nine(char a, short b, int c, long d, void *e, unsigned char f, int g, long h, short i) BODY\n"
	"KEEP int structs(struct pair p, struct small s, struct big b, struct flags f, enum color c, long last) BODY\n"
	"KEEP int floats(double x, int a, float y, struct mixed m, long double l, int b) BODY\n"
	"KEEP struct big hidden(int a, long b) BODY_OF(struct big r = { a, b, sink }; return r;)\n"
	"KEEP int full(long a, long b, long c, long d, long e, struct pair p, long f) BODY\n"
	"KEEP int wide(__int128 a, int b, struct packed k, int c) BODY\n"
	"KEEP int pointed(const struct big *p, int *n) BODY\n"
	"KEEP int chars(_Bool t, signed char u, unsigned short v) BODY\n"
	"#ifndef CALLEE\n"
	"int main(void)\n"
	"{\n"
	"	struct big b = { 11, 12, 13 };\n"
	"	int n = 77;\n"
	"	nine(-1, 200, 300, 1L << 40, (void *)0x500, 206, -7, 8, -9);\n"
	"	structs((struct pair){ 101, 102 }, (struct small){ 103, -104, 105 }, b,\n"
	"		(struct flags){ 5, 100, -200, 1L << 39 }, RED, 106);\n"
	"	floats(1.5, 21, 2.5f, (struct mixed){ 22, 3.5 }, 4.5L, 23);\n"
	"	hidden(31, 32);\n"
	"	full(1, 2, 3, 4, 5, (struct pair){ 41, 42 }, 6);\n"
	"	wide(((__int128)51 << 64) | 52, 53, (struct packed){ 54, 55 }, 56);\n"
	"	pointed(&b, &n);\n"
	"	chars(1, -2, 60000);\n"
	"	return 0;\n"
	"}\n"
	"#endif\n";

static const char cplus_source[] =
	"#include <string>\n"
	"#include <string_view>\n"
	"#include <memory>\n"
	"#define KEEP __attribute__((noinline))\n"
	"#ifdef CALLEE\n"
	"#define BODY BODY_OF(return sink;)\n"
	"#define BODY_OF(...) { __asm__ volatile(\"# %0\" :: \"i\"(__LINE__) : \"memory\"); __VA_ARGS__ }\n"
	"volatile int sink;\n"
	"#else\n"
	"#define BODY ;\n"
	"#define BODY_OF(...) ;\n"
	"extern volatile int sink;\n"
	"#endif\n"
	"enum class Color : unsigned char { red = 1, green = 200 };\n"
	"struct Base { int base; };\n"
	"struct Thing : Base {\n"
	"	int own;\n"
	"	union { long number; char *text; };\n"
	"	Thing() { base = 61; own = 62; number = 63; }\n"
	"	KEEP int method(int x) const;\n"
	"	KEEP static int fixed(int x, long y);\n"
	"};\n"
	"#ifdef CALLEE\n"
	"KEEP int Thing::method(int x) const BODY\n"
	"KEEP int Thing::fixed(int x, long y) BODY\n"
	"#endif\n"
	"struct Noisy { int n; Noisy(int v) : n(v) {} Noisy(const Noisy &o) : n(o.n) { sink = 1; } };\n"
	"struct Holder { Noisy held{64}; };\n"
	"struct Plain { int n; Plain(int v) : n(v) {} };\n"
	"struct Virtual { int n; virtual int f() { return n; } };\n"
	"namespace space {\n"
	"KEEP int overloaded(int x) BODY\n"
	"KEEP int overloaded(long x, Color c) BODY\n"
	"KEEP int overloaded(const Thing &thing, Thing &&gone) BODY\n"
	"}\n"
	"KEEP int classes(Noisy a, Holder h, Plain p, Virtual v, int last) BODY\n"
	"KEEP int texts(std::string s, std::string_view v, const std::string &r, int last) BODY\n"
	"KEEP std::string built(int x) BODY_OF(return std::string(x, 'x');)\n"
	"template <class T> KEEP int templated(T x, const T &y) BODY\n"
	"#ifdef CALLEE\n"
	"template int templated<short>(short, const short &);\n"
	"#else\n"
	"int main()\n"
	"{\n"
	"	Thing thing, gone;\n"
	"	Virtual v; v.n = 68;\n"
	"	std::string r = \"wxyz\";\n"
	"	thing.method(65);\n"
	"	Thing::fixed(66, 67);\n"
	"	space::overloaded(71);\n"
	"	space::overloaded(72L, Color::green);\n"
	"	space::overloaded(thing, std::move(gone));\n"
	"	classes(Noisy(73), Holder(), Plain(74), v, 75);\n"
	"	texts(\"abc\", \"de\", r, 76);\n"
	"	built(77);\n"
	"	templated<short>(78, 79);\n"
	"	return 0;\n"
	"}\n"
	"#endif\n";

static const char rust_source[] =
	"use std::hint::black_box;\n"
	"#[derive(Clone, Copy)] pub struct Point { pub x: i32, pub y: i32 }\n"
	"pub struct Large { pub a: u64, pub b: u64, pub c: u64 }\n"
	"#[inline(never)] pub fn plain(n: i32, text: &str, p: Point, last: u8) -> usize\n"
	"{ black_box(n); black_box(text); black_box(p); black_box(last); 1 }\n"
	"#[inline(never)] pub fn large(l: Large, slice: &[u16], t: (u32, u64), f: f64, last: u16) -> usize\n"
	"{ black_box(l); black_box(slice); black_box(t); black_box(f); black_box(last); 2 }\n"
	"#[inline(never)] pub fn nine(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64, i: u64) -> u64\n"
	"{ black_box(a) + black_box(b) + black_box(c) + black_box(d) + black_box(e) + black_box(f) + black_box(g)\n"
	"	+ black_box(h) + black_box(i) }\n"
	"#[inline(never)] pub fn split(a: u64, b: u64, c: u64, d: u64, e: u64, text: &str, last: u64) -> u64\n"
	"{ black_box(text); black_box(a) + black_box(b) + black_box(c) + black_box(d) + black_box(e) + black_box(last) }\n"
	"#[inline(never)] pub fn returns(x: u32) -> Large { black_box(Large { a: x as u64, b: 1, c: 2 }) }\n"
	"#[inline(never)] pub fn owned(s: String, bytes: [u8; 3]) -> usize { black_box(s); black_box(bytes); 3 }\n"
	"impl Point {\n"
	"	#[inline(never)] pub fn method(&self, k: u128, c: char) -> u32 { black_box(self); black_box(k); black_box(c); 4 }\n"
	"	#[inline(never)] pub fn own(self, z: bool) -> u32 { black_box(self); black_box(z); 5 }\n"
	"}\n"
	"fn main() {\n"
	"	let p = black_box(Point { x: -3, y: 4 });\n"
	"	plain(black_box(-1), black_box(\"hello\"), p, black_box(5));\n"
	"	large(black_box(Large { a: 11, b: 12, c: 13 }), black_box(&[1, 2, 3]), black_box((14, 15)), black_box(1.5),\n"
	"		black_box(16));\n"
	"	nine(black_box(21), black_box(22), black_box(23), black_box(24), black_box(25), black_box(26), black_box(27),\n"
	"		black_box(28), black_box(29));\n"
	"	split(black_box(31), black_box(32), black_box(33), black_box(34), black_box(35), black_box(\"halves\"),\n"
	"		black_box(36));\n"
	"	returns(black_box(41));\n"
	"	owned(black_box(String::from(\"mine\")), black_box([51, 52, 53]));\n"
	"	p.method(black_box(61), black_box('x'));\n"
	"	p.own(black_box(true));\n"
	"}\n";

static const char go_source[] =
	"package main\n"
	"import \"os\"\n"
	"type thing struct { small int8; number int64; text string }\n"
	"type little struct { x, y int32 }\n"
	"//go:noinline\n"
	"func plain(a int, s string, b []byte, last uint16) int { return a + len(s) + len(b) + int(last) }\n"
	"//go:noinline\n"
	"func many(a, b, c, d, e, f, g, h, i, j, k int) int { return a + b + c + d + e + f + g + h + i + j + k }\n"
	"//go:noinline\n"
	"func large(a int, s string, b []byte, t thing, err error, f float64, last uint16) (int, error) {\n"
	"	return a + len(s) + len(b) + len(t.text) + int(f) + int(last), err\n"
	"}\n"
	"//go:noinline\n"
	"func (t *thing) Method(k int, l little) int { return int(t.number) + k + int(l.y) }\n"
	"//go:noinline\n"
	"func unused(_ int, x int32) int32 { return x }\n"
	"//go:noinline\n"
	"func arrays(two [2]int, a int, one [1]int) int { return two[1] + a + one[0] }\n"
	"//go:noinline\n"
	"func generic[T any](x T, n int) (T, int) { return x, n }\n"
	"func main() {\n"
	"	t := thing{1, 2, \"text\"}\n"
	"	n := plain(11, \"hello\", []byte(\"by\"), 12)\n"
	"	n += many(21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31)\n"
	"	m, err := large(41, \"abc\", []byte(\"defg\"), t, nil, 2.5, 42)\n"
	"	n += t.Method(51, little{52, 53}) + int(unused(61, 62)) + arrays([2]int{71, 72}, 73, [1]int{74})\n"
	"	_, g := generic(\"generic\", 81)\n"
	"	if n+m+g == 0 || err != nil { os.Exit(1) }\n"
	"}\n";

static const struct expected_call c_calls[] = {
	{ "nine",
	  { { "a", -1 }, { "b", 200 }, { "c", 300 }, { "d", 1L << 40 }, { "e", 0x500 },
	    { "f", 206 }, { "g", -7 }, { "h", 8 }, { "i", -9 } } },
	{ "structs",
	  { { "p.a", 101 }, { "p.b", 102 }, { "s.x", 103 }, { "s.y", -104 }, { "s.z", 105 },
	    { "b.b", 12 }, { "b.c", 13 }, { "f.b", 100 }, { "f.c", -200 }, { "f.d", 1L << 39 },
	    { "c", -5 }, { "last", 106 } } },
	{ "floats", { { "a", 21 }, { "m.a", 22 }, { "b", 23 } } },
	{ "hidden", { { "a", 31 }, { "b", 32 } } },
	{ "full", { { "a", 1 }, { "e", 5 }, { "p.a", 41 }, { "p.b", 42 }, { "f", 6 } } },
	{ "wide", { { "b", 53 }, { "k.a", 54 }, { "k.b", 55 }, { "c", 56 } } },
	{ "pointed", { { "p.a", 11 }, { "p.c", 13 } } },
	{ "chars", { { "t", 1 }, { "u", -2 }, { "v", 60000 } } },
};

static const struct expected_call cplus_calls[] = {
	{ "_ZNK5Thing6methodEi",
	  { { "this.base", 61 }, { "this.own", 62 }, { "this.number", 63 }, { "x", 65 } } },
	{ "_ZN5Thing5fixedEil", { { "x", 66 }, { "y", 67 } } },
	{ "_ZN5space10overloadedEi", { { "x", 71 } } },
	{ "_ZN5space10overloadedEl5Color", { { "x", 72 }, { "c", 200 } } },
	{ "_ZN5space10overloadedERK5ThingOS0_", { { "thing.own", 62 }, { "gone.number", 63 } } },
	{ "_Z7classes5Noisy6Holder5Plain7Virtuali",
	  { { "a.n", 73 }, { "h.held.n", 64 }, { "p.n", 74 }, { "v.n", 68 }, { "last", 75 } } },
	{ "_Z5textsNSt",
	  { { "s#", 3 }, { "s$", 'a' }, { "v#", 2 }, { "v$", 'd' }, { "r#", 4 }, { "r$", 'w' },
	    { "last", 76 } } },
	{ "_Z5built", { { "x", 77 } } },
	{ "_Z9templatedIsE", { { "x", 78 } } },
};

static const struct expected_call rust_calls[] = {
	{ "5plain17h",
	  { { "n", -1 },
	    { "text#", 5 },
	    { "text$", 'h' },
	    { "p.x", -3 },
	    { "p.y", 4 },
	    { "last", 5 } } },
	{ "5large17h",
	  { { "l.a", 11 }, { "l.c", 13 }, { "slice.length", 3 }, { "t.__0", 14 }, { "t.__1", 15 },
	    { "last", 16 } } },
	{ "4nine17h",
	  { { "a", 21 }, { "b", 22 }, { "f", 26 }, { "g", 27 }, { "h", 28 }, { "i", 29 } } },
	{ "5split17h", { { "a", 31 }, { "e", 35 }, { "text$", 'h' }, { "last", 36 } } },
	{ "7returns17h", { { "x", 41 } } },
	{ "5owned17h", { { "s#", 4 }, { "s$", 'm' } } },
	{ "6method17h", { { "self.x", -3 }, { "c", 'x' } } },
	{ "3own17h", { { "self.y", 4 }, { "z", 1 } } },
};

static const struct expected_call go_calls[] = {
	{ "main.plain",
	  { { "a", 11 }, { "s#", 5 }, { "s$", 'h' }, { "b.len", 2 }, { "last", 12 } } },
	{ "main.many",
	  { { "a", 21 }, { "b", 22 }, { "c", 23 }, { "d", 24 }, { "e", 25 }, { "f", 26 },
	    { "g", 27 }, { "h", 28 }, { "i", 29 }, { "j", 30 }, { "k", 31 } } },
	{ "main.large",
	  { { "a", 41 }, { "s#", 3 }, { "s$", 'a' }, { "b.len", 4 }, { "t.small", 1 },
	    { "t.number", 2 }, { "t.text.len", 4 }, { "last", 42 } } },
	{ "main.(*thing).Method",
	  { { "t.number", 2 }, { "k", 51 }, { "l.x", 52 }, { "l.y", 53 } } },
	{ "main.unused", { { "x", 62 } } },
	{ "main.arrays", { { "a", 73 } } },
	{ "main.generic[go.shape.string]", { { "n", 81 } } },
};

const struct argument_program argument_programs[] = {
#define C_CASE(compiler) \
	{ "C by " compiler, compiler " -no-pie -g -w", "x.c", c_source, c_calls, \
	  ARRAY_SIZE(c_calls), .is_split = true }
#define CPLUS_CASE(compiler)                                                                     \
	{ "C++ by " compiler, compiler " -std=c++17 -no-pie -g -w", "x.cc", cplus_source, \
	  cplus_calls, ARRAY_SIZE(cplus_calls), .is_split = true }
	C_CASE("gcc -O0"),
	C_CASE("gcc -O2"),
	C_CASE("gcc -O2 -gdwarf-4"),
	C_CASE("gcc -O0 -gdwarf-2"),
	C_CASE("clang -O0"),
	C_CASE("clang -O2"),
	C_CASE("clang -O2 -gdwarf-4"),
	CPLUS_CASE("g++ -O0"),
	CPLUS_CASE("g++ -O2"),
	CPLUS_CASE("g++ -O2 -gdwarf-4 -fdebug-types-section"),
	CPLUS_CASE("clang++ -O0 -fstandalone-debug"),
	CPLUS_CASE("clang++ -O2 -fstandalone-debug"),
	{ "Rust, not optimized", "rustc -C relocation-model=static -g", "x.rs", rust_source,
	  rust_calls, ARRAY_SIZE(rust_calls) },
	{ "Rust, optimized", "rustc -C relocation-model=static -g -O", "x.rs", rust_source,
	  rust_calls, ARRAY_SIZE(rust_calls), .may_refuse = true },
	{ "Go, not optimized", "HOME=$PWD go build -gcflags='all=-N -l'", "x.go", go_source,
	  go_calls, ARRAY_SIZE(go_calls) },
	{ "Go, optimized", "HOME=$PWD go build", "x.go", go_source, go_calls,
	  ARRAY_SIZE(go_calls) },
};

const size_t argument_program_count = ARRAY_SIZE(argument_programs);
