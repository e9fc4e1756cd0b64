/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embed.h - put a file of the source tree into the program.
 *
 * EMBED_FILE(page_script, "formats/page.js") makes page_script[] and
 * page_script_end[]. The assembler reads the file, by a path from the top
 * folder, so the Makefile must say that the object depends on it.
 */
#ifndef WICK_EMBED_H
#define WICK_EMBED_H

#define EMBED_FILE(name, path)                                          \
	__asm__(".pushsection .rodata\n"                                \
		".type " #name ", %object\n" #name ":\n"                \
		".incbin \"" path "\"\n"                                \
		".type " #name "_end, %object\n" #name "_end:\n"        \
		".byte 0\n"                                             \
		".popsection\n");                                       \
	extern const char name[] __attribute__((visibility("hidden"))); \
	extern const char name##_end[] __attribute__((visibility("hidden")))

#endif
