/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cfi_rules.h - what CFI says, as a rule that unwind_step() can follow.
 *
 * Knows the few expressions that linkers, compilers and hand-written assembly
 * use; any other, and a return address that is not at CFA - 8, becomes
 * UNWIND_UNSUPPORTED. Equal rules have equal bytes.
 */
#ifndef WICK_CFI_RULES_H
#define WICK_CFI_RULES_H

#include "bpf/unwind_abi.h"
#include "profiler/unwind/cfi_program.h"

struct unwind_rule cfi_rule(const struct cfi_state *state, const struct cfi_cie *cie);

#endif
