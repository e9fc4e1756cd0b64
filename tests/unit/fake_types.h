/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_types.h - a few types and a function of them, as debug information would describe them.
 *
 *	struct dentry {
 *		long unused[4];
 *		struct { unsigned int hash, len; const unsigned char *name; } d_name;
 *	};
 *	struct file {
 *		long unused[2];
 *		struct { void *mnt; struct dentry *dentry; } f_path;
 *		unsigned int f_flags;
 *		unsigned int : 2, f_mode : 3;
 *		enum { OPENED = 1, CLOSED, BROKEN = -1 } state;
 *		char name[16];
 *		unsigned char mac[6];
 *		double weight;
 *		int numbers[4];
 *		char *label;
 *		_Bool ok;
 *		char grade;
 *		short level;
 *		string_view title;
 *		int &owner;
 *	};
 *	struct pair { unsigned int a; int b; };
 *	int example(int fd, const char *path, struct file *file, size_t count, double ratio,
 *		    struct pair pair, char **list, void *data, long on_stack);
 */
#ifndef WICK_FAKE_TYPES_H
#define WICK_FAKE_TYPES_H

#include "symbolizer/types/type_info.h"

/* As it lies in memory. */
struct fake_dentry {
	long unused[4];
	unsigned int hash, len;
	const char *name;
};

struct fake_file {
	long unused[2];
	void *mnt;
	const struct fake_dentry *dentry;
	unsigned int f_flags;
	unsigned int : 2, f_mode : 3;
	int state;
	char name[16];
	unsigned char mac[6];
	double weight;
	int numbers[4];
	const char *label;
	bool ok;
	char grade;
	short level;
	size_t title_bytes;
	const char *title;
	const int *owner;
};

extern const struct type_provider fake_types;
extern const struct type_function fake_function;

#endif
