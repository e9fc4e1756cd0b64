/* SPDX-License-Identifier: BSD-2-Clause */
/* elf_checks.h - what must hold of every ELF file, however damaged; for the targets that read one. */
#ifndef WICK_ELF_CHECKS_H
#define WICK_ELF_CHECKS_H

#include "symbolizer/elf/elf_file.h"
#include "symbolizer/elf/module.h"

/* Build the unwind table, check that each cell of it can be followed, and look addresses up. */
void elf_check_rows(struct elf_file *elf);
/* Ask for the names of addresses all over the executable segments, and for all functions. */
void elf_check_names(struct module *mod);
/* A module over a file of these bytes, with no path that anything could be found beside. */
struct module *elf_check_module(const void *bytes, size_t size);

#endif
