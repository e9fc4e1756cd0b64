# SPDX-License-Identifier: BSD-2-Clause
#
# wick: one Makefile for everything. `make` needs no root and installs nothing.
#
#   V=1                      show the commands
#   O=dir                    build there (default: build)
#   DEBUG=1                  for a debugger
#   SAN=address,undefined    with these sanitizers
#   FUZZER=1                 fuzz targets search for inputs, by libFuzzer (CC=clang)
#   WERROR=1                 warnings are errors
#   VMLINUX_H=, VMLINUX_BTF= kernel types from a header or a BTF file (default: the running kernel)
#   PARTS=                   folders of the library, to build with only some of them

O ?= build
PARTS ?= profiler/base profiler/unwind profiler/processes profiler/tables profiler/labels \
	profiler/expressions profiler/kernel_types profiler/probes profiler/sources profiler \
	symbolizer symbolizer/elf symbolizer/providers symbolizer/dwarf symbolizer/types \
	symbolizer/code symbolizer/worker formats
prefix ?= /usr/local
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man

CLANG ?= clang
BPFTOOL ?= bpftool
PROTOC_C ?= protoc-c
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format
# Debian keeps bpftool where only root's PATH looks.
export PATH := $(PATH):/usr/sbin:/sbin

MODULES := libbpf libelf libdw zlib libzstd liblzma libprotobuf-c libseccomp
WARNINGS := -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith $(if $(WERROR),-Werror)
CFLAGS ?= $(if $(DEBUG),-Og -g3,-O2 -g)
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer \
	$(if $(findstring clang,$(CC)),,-Wno-tsan)) $(if $(FUZZER),-fsanitize=fuzzer-no-link)
# "-D_GNU_SOURCE=" and not "-D_GNU_SOURCE": the same as "#define _GNU_SOURCE", which may follow.
CC_FLAGS := -std=gnu11 $(WARNINGS) -D_GNU_SOURCE= -iquote . -iquote $(O) $(CFLAGS) $(SAN_FLAGS) \
	$(shell $(PKG_CONFIG) --cflags $(MODULES) 2>/dev/null)
LD_FLAGS := $(LDFLAGS) $(SAN_FLAGS)
LIBS := $(or $(shell $(PKG_CONFIG) --libs $(MODULES) 2>/dev/null),-lbpf -lelf -ldw -lz -lzstd -llzma \
	-lprotobuf-c -lseccomp) -liberty -lZydis -lpthread
# What tests/unit/fail_alloc.c can make fail.
comma := ,
WRAP := $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc reallocarray strdup strndup \
	asprintf vasprintf)

MACHINE := $(shell uname -m)
BPF_ARCH := $(or $(patsubst aarch64,arm64,$(filter aarch64,$(MACHINE))),x86)
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_FLAGS := -target bpf -g -O2 -D__TARGET_ARCH_$(BPF_ARCH) -Wall $(if $(WERROR),-Werror) \
	-iquote . -iquote $(O) -I$(O)/bpf $(addprefix -idirafter /usr/include/,$(MULTIARCH)) \
	$(BPF_CFLAGS)

Q := $(if $(V),,@)
# The folder and the line that every recipe begins with.
begin = @mkdir -p $(@D)$(if $(V),,; printf '  %-8s %s\n' $1 $(or $2,$@))

BPF_SRC := $(wildcard bpf/*.bpf.c)
BENCH_BPF_SRC := $(wildcard tests/bench/*.bpf.c)
PROTO_SRC := $(wildcard formats/*.proto)
LIB_SRC := $(wildcard $(addsuffix /*.c,$(PARTS)))
TOOLS_SRC := $(filter-out tools/wick.c,$(wildcard tools/*.c tools/*/*.c))
TEST_C := $(wildcard tests/unit/test_*.c tests/e2e/test_*.c tests/fuzz/fuzz_*.c)
BENCH_C := $(filter-out $(BENCH_BPF_SRC),$(wildcard tests/bench/*.c))
TEST_LIB_SRC := $(filter-out $(TEST_C),$(wildcard tests/unit/*.c tests/e2e/*.c tests/fuzz/*.c))
# Without Rust or Go their workloads are left out, and the tests that want them are skipped.
WORKLOAD_SRC := $(wildcard $(addprefix tests/workloads/*,.c .cc .S \
	$(if $(shell command -v rustc),.rs) $(if $(shell command -v go),.go)))

BPF_OBJ := $(BPF_SRC:%.c=$(O)/%.o)
SKELETONS := $(BPF_OBJ:.bpf.o=.skel.h)
BENCH_BPF_OBJ := $(BENCH_BPF_SRC:%.c=$(O)/%.o)
PROTO_H := $(PROTO_SRC:%.proto=$(O)/%.pb-c.h)
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o) $(PROTO_SRC:%.proto=$(O)/%.pb-c.o)
TOOLS_OBJ := $(TOOLS_SRC:%.c=$(O)/%.o)
TEST_LIB_OBJ := $(TEST_LIB_SRC:%.c=$(O)/%.o)
TEST_OBJ := $(TEST_C:%.c=$(O)/%.o)
BENCH := $(BENCH_C:%.c=$(O)/%)
VM := $(patsubst %.c,$(O)/%,$(wildcard tests/vm/*.c))
VM_SCRIPTS := tests/vm/test_kernels.py
WICK := $(patsubst tools/wick.c,$(O)/wick,$(wildcard tools/wick.c))
# Tools before the library: a static link takes from an archive what is asked for before it.
ARCHIVES := $(O)/libtools.a $(O)/libwick.a
OBJ := $(LIB_OBJ) $(TOOLS_OBJ) $(TEST_LIB_OBJ) $(TEST_OBJ) $(WICK:%=$(O)/tools/wick.o)

UNIT := $(patsubst %.c,$(O)/%,$(filter tests/unit/%,$(TEST_C)))
UNIT_SCRIPTS := $(wildcard tests/unit/*.sh tests/unit/test_*.py)
FUZZ := $(patsubst %.c,$(O)/%,$(filter tests/fuzz/%,$(TEST_C)))
E2E := $(patsubst %.c,$(O)/%,$(filter tests/e2e/%,$(TEST_C)))
# lib*.sh and lib*.py are for others to read in.
E2E_SCRIPTS := $(filter-out tests/e2e/lib%,$(wildcard tests/e2e/*.sh tests/e2e/test_*.py))
WORKLOADS := $(WORKLOAD_SRC:%=$(O)/%.built)

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
OBJ += $(BENCH_C:%.c=$(O)/%.o) $(VM:%=%.o)

.PHONY: all check check-root check-layers test test-now test-programs test-vm workloads bench demo \
	san tsan san-programs fuzz bpf-size format lint install uninstall clean

all: $(ARCHIVES) $(SKELETONS) $(WICK)

# $(call remember,FILE,TEXT): FILE gets a new date only when TEXT is another than last time, so that
# what depends on FILE is rebuilt for other flags, and not for the same ones.
remember = $(shell mkdir -p $(dir $1))$(if $(call differs,$(strip $2),$(strip $(file <$1))),$(file \
	>$1,$(strip $2)))
differs = $(subst x$1x,,x$2x)$(subst x$2x,,x$1x)
$(call remember,$(O)/flags/cc,$(CC) $(CC_FLAGS))
$(call remember,$(O)/flags/bpf,$(CLANG) $(BPF_FLAGS) $(BPFTOOL))
$(call remember,$(O)/flags/vmlinux,from $(VMLINUX_H) $(VMLINUX_BTF))
$(call remember,$(O)/flags/ld,$(LD_FLAGS) $(LIBS))
$(call remember,$(O)/flags/sources,of $(LIB_OBJ) $(TOOLS_OBJ) $(TEST_LIB_OBJ))

# What .incbin brings in no .d file knows of.
$(O)/formats/svg.o: formats/svg_script.js formats/svg_style.css

# What is missing is said at once and by package, before the first compiler error does it worse.
$(O)/flags/%-packages: tests/packages
	$(Q)tests/install-packages --check $*
	$(Q)touch $@
$(OBJ) $(PROTO_H) $(O)/bpf/vmlinux.h: | $(O)/flags/build-packages
$(TEST_OBJ) $(TEST_LIB_OBJ) $(filter-out %.c.built,$(WORKLOADS)): | $(O)/flags/test-packages

# Generated headers must be there before the first compilation; after it .d files know who needs them.
$(OBJ): | $(PROTO_H)
$(filter-out $(O)/profiler/base/% $(O)/profiler/unwind/% $(O)/symbolizer/% $(O)/formats/%,$(OBJ)): \
	| $(SKELETONS)

$(O)/bpf/vmlinux.h: $(O)/flags/vmlinux $(VMLINUX_H) $(VMLINUX_BTF)
	$(call begin,VMLINUX)
ifneq ($(VMLINUX_H),)
	$(Q)cp $(VMLINUX_H) $@
else
	$(Q)$(BPFTOOL) btf dump file $(or $(VMLINUX_BTF),/sys/kernel/btf/vmlinux) format c >$@ || \
	{ echo "no kernel types here: give VMLINUX_H=vmlinux.h or VMLINUX_BTF=file" >&2; exit 1; }
endif

$(BPF_OBJ:.o=.tmp.o) $(BENCH_BPF_OBJ:.o=.tmp.o): $(O)/%.bpf.tmp.o: %.bpf.c $(O)/flags/bpf $(O)/bpf/vmlinux.h
	$(call begin,BPF)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c $< -o $@

# Linking even one object leaves DWARF behind, which nobody reads and the binary would embed.
$(BPF_OBJ) $(BENCH_BPF_OBJ): $(O)/%.bpf.o: $(O)/%.bpf.tmp.o
	$(Q)$(BPFTOOL) gen object $@ $<

$(O)/%.skel.h: $(O)/%.bpf.o
	$(call begin,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*) >$@

$(O)/profiler/sources/syscall_names.h: $(O)/flags/cc
	$(call begin,SYSCALLS)
	$(Q)echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
	sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/\t[\2] = "\1",/p' >$@
$(O)/profiler/sources/syscalls.o: $(O)/profiler/sources/syscall_names.h

# $(call name_numbers,HEADER,PATTERN): of the macros so called those that are small numbers.
name_numbers = $(Q)echo '\#include <$1>' | $(CC) -E -dM - | \
	sed -n 's/^\#define \($2\) \([0-9]\{1,2\}\)$$/\t{ "\1", \2 },/p' >$@
$(O)/profiler/kernel_types/capability_names.h: $(O)/flags/cc
	$(call begin,NAMES)
	$(call name_numbers,linux/capability.h,CAP_[A-Z_]*)
$(O)/profiler/kernel_types/signal_names.h: $(O)/flags/cc
	$(call begin,NAMES)
	$(call name_numbers,signal.h,SIG[A-Z0-9]*)
$(O)/profiler/kernel_types/tracepoint_numbers.o: $(addprefix $(O)/profiler/kernel_types/, \
	capability_names.h signal_names.h)

$(O)/%.pb-c.c $(O)/%.pb-c.h: %.proto
	$(call begin,PROTO)
	$(Q)$(PROTOC_C) --proto_path=. --c_out=$(O) $<

define compile
	$(call begin,CC)
	$(Q)$(CC) $(CC_FLAGS) -MMD -MP -c $< -o $@
endef
$(O)/%.o: %.c $(O)/flags/cc ; $(compile)
$(O)/%.o: $(O)/%.c $(O)/flags/cc ; $(compile)

# Made from nothing each time, or an object whose source is gone would stay.
$(O)/libwick.a: $(LIB_OBJ)
$(O)/libtools.a: $(TOOLS_OBJ)
$(O)/tests/libtests.a: $(TEST_LIB_OBJ)
$(ARCHIVES) $(O)/tests/libtests.a: $(O)/flags/sources
	$(call begin,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(WICK): $(O)/tools/wick.o $(ARCHIVES) $(O)/flags/ld
	$(call begin,LINK)
	$(Q)$(CC) $(LD_FLAGS) -o $@ $< $(ARCHIVES) $(LIBS)

$(UNIT) $(E2E): LINK_FLAGS := $(WRAP)
$(FUZZ): LINK_FLAGS := $(if $(FUZZER),-fsanitize=fuzzer)
$(UNIT) $(E2E) $(FUZZ): $(O)/%: $(O)/%.o $(O)/tests/libtests.a $(ARCHIVES) $(O)/flags/ld
	$(call begin,LINK)
	$(Q)$(CC) $(LD_FLAGS) $(LINK_FLAGS) -o $@ $< -Wl,--start-group $(O)/tests/libtests.a \
		$(ARCHIVES) -Wl,--end-group -lcmocka $(LIBS)

# One source may give several programs: tests/workloads/build says how.
$(WORKLOADS): $(O)/%.built: % tests/workloads/build $(wildcard tests/workloads/*.h)
	$(call begin,WORKLOAD,$<)
	$(Q)tests/workloads/build $< $(@D)
	$(Q)touch $@

workloads: $(WORKLOADS)
test-programs: all workloads $(UNIT) $(E2E) $(FUZZ)

# Builds of their own, below this one: by clang with sanitizers for memory and arithmetic, where
# fuzz targets search too, and wick alone with the one for threads.
SANITIZED := $(MAKE) --no-print-directory CFLAGS="-O1 -g"
san:
	+$(Q)$(SANITIZED) O=$(O)/san CC=$(CLANG) SAN=address,undefined FUZZER=1 san-programs
tsan:
	+$(Q)$(SANITIZED) O=$(O)/tsan SAN=thread all
# They compare what other readers say of whole libraries and programs: the same code again, for long.
SAN_UNIT := $(filter-out %/test_cfi_against_libdw %/test_dwarf_arguments,$(UNIT))
san-programs: $(SAN_UNIT) $(FUZZ)

RUN := WICK_BUILD=$(O) tests/run

check: all workloads $(UNIT) $(FUZZ)
	$(Q)$(RUN) tests/check-layers $(UNIT) $(UNIT_SCRIPTS) $(FUZZ)

check-root: all workloads $(E2E) tsan
	$(Q)$(RUN) $(E2E) $(E2E_SCRIPTS)

check-layers:
	$(Q)tests/check-layers

# A second make, because what this one knows of libraries is from before they were installed.
test:
	$(Q)tests/install-packages build test extra vm bench
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) test-programs $(BENCH) $(VM) san tsan
	$(Q)$(MAKE) --no-print-directory test-now

# The oldest, whose verifier refuses most; make test-vm boots all.
test-now: export WICK_VM_KERNELS ?= 5.10
test-now: test-programs $(BENCH) $(VM) san tsan
	$(Q)$(RUN) tests/check-layers $(UNIT) $(UNIT_SCRIPTS) $(FUZZ) \
		$(SAN_UNIT:$(O)/%=$(O)/san/%) tests/fuzz/search.py \
		$(E2E) $(E2E_SCRIPTS) $(VM_SCRIPTS)

# For an hour each; FUZZ_TARGETS="elf folded" names some of the targets.
fuzz: export FUZZ_SECONDS ?= 3600
fuzz:
	$(Q)tests/install-packages build test
	$(Q)$(MAKE) --no-print-directory san
	$(Q)WICK_BUILD=$(O) tests/fuzz/search.py $(FUZZ_TARGETS)

$(BENCH:%=%.o): | $(BENCH_BPF_OBJ:.bpf.o=.skel.h)
# What others walk by frame pointers must have them.
$(O)/tests/bench/source_work.o: CC_FLAGS += -fno-omit-frame-pointer
# A test that needs a kernel with kprobes, which need not be the one here.
VM_TESTS := $(O)/tests/vm/probe_functions
$(VM_TESTS): $(O)/%: $(O)/%.o $(O)/tests/libtests.a $(ARCHIVES) $(O)/flags/ld
	$(call begin,LINK)
	$(Q)$(CC) $(LD_FLAGS) $(WRAP) -o $@ $< -Wl,--start-group $(O)/tests/libtests.a $(ARCHIVES) \
		-Wl,--end-group -lcmocka $(LIBS)

$(BENCH) $(filter-out $(VM_TESTS),$(VM)): $(O)/%: $(O)/%.o $(O)/libwick.a $(O)/flags/ld
	$(call begin,LINK)
	$(Q)$(CC) $(LD_FLAGS) -o $@ $< $(O)/libwick.a $(LIBS)

bench:
	$(Q)tests/install-packages build test extra bench
	$(Q)$(MAKE) --no-print-directory all workloads $(BENCH)
	$(Q)WICK_BUILD=$(O) tests/bench/run

# Under other kernels, in virtual machines; WICK_VM_KERNELS="5.10 6.1" names some of tests/vm/kernels.
test-vm:
	$(Q)tests/install-packages build test vm
	$(Q)$(MAKE) --no-print-directory all workloads $(VM)
	$(Q)$(RUN) $(VM_SCRIPTS)

demo:
	@[ "$$(id -u)" = 0 ] || { echo "make demo needs root: sudo make demo" >&2; exit 1; }
	$(Q)tests/install-packages build
	$(Q)$(MAKE) --no-print-directory all $(O)/tests/workloads/demo.c.built
	$(Q)WICK_BUILD=$(O) tests/demo

bpf-size: $(BPF_OBJ:.o=.tmp.o)
	$(Q)for object in $(BPF_OBJ); do readelf -sW $${object%.o}.tmp.o | awk -v object=$${object##*/} \
	'$$4 == "FUNC" { printf "%-24s %-40s %6d instructions\n", object, $$8, $$3 / 8 }'; done

FORMATTED := $(wildcard $(foreach dir,bpf formats $(foreach top,profiler symbolizer tools,$(top) \
	$(top)/*) tests/*,$(dir)/*.c $(dir)/*.h $(dir)/*.cc))
lint format:
	$(Q)CLANG_FORMAT=$(CLANG_FORMAT) tests/format $(if $(filter lint,$@),--check) $(FORMATTED)

install: all
	$(O)/wick help --man >$(O)/wick.1
	install -D $(O)/wick $(DESTDIR)$(bindir)/wick
	install -D -m 644 $(O)/wick.1 $(DESTDIR)$(mandir)/man1/wick.1

uninstall:
	rm -f $(DESTDIR)$(bindir)/wick $(DESTDIR)$(mandir)/man1/wick.1

clean:
	rm -rf $(O)

-include $(OBJ:.o=.d) $(BPF_OBJ:.o=.tmp.d)
