/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * item.h - lists whose items are between commas, as -e takes them.
 *
 * Commas inside (), <> or quotes do not split: "uprobe:a.out:f(int, int),filter=comm==\"a,b\"" has
 * two items.
 */
#ifndef WICK_ITEM_H
#define WICK_ITEM_H

/*
 * The comma or the end behind the item at @text; NULL with *@ret_reason, a constant text, when it is
 * unfinished.
 */
const char *item_end(const char *text, const char **ret_reason);
/* As strsep(rest, ","), but for such lists. */
char *item_next(char **rest);

#endif
