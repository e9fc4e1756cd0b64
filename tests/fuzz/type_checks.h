/* SPDX-License-Identifier: BSD-2-Clause */
/* type_checks.h - what must hold of each type and argument, whoever read it and however damaged. */
#ifndef WICK_TYPE_CHECKS_H
#define WICK_TYPE_CHECKS_H

#include "symbolizer/types/type_info.h"

/* The type alone, not what it leads to; the same for the others. */
void type_check_info(const struct type_info *type);
void type_check_member(const struct type_member *member);
void type_check_argument(const struct type_argument *argument);

#endif
