/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cleanup.h - the one idiom for releasing what a function holds.
 *
 * A local declared _cleanup_(thing_freep) is released when it leaves scope;
 * take_ptr() and take_fd() hand it over instead. DEFINE_CLEANUP() makes the
 * pointer-to-pointer wrapper from a destructor.
 */
#ifndef WICK_CLEANUP_H
#define WICK_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _unused_ __attribute__((unused))
#define _printf_(a, b) __attribute__((format(printf, a, b)))

#define take_ptr(p)                      \
	({                               \
		__typeof__(p) _p = (p);  \
		(p) = NULL;              \
		_p;                      \
	})

static inline int take_fd_(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
#define take_fd(fd) take_fd_(&(fd))

/* DEFINE_CLEANUP(struct thing *, thing_free) defines thing_freep(). */
#define DEFINE_CLEANUP(type, free_fn)                       \
	static inline _unused_ void free_fn##p(type *p)     \
	{                                                   \
		if (*p)                                     \
			free_fn(*p);                        \
	}

static inline void cleanup_freep_(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fclosep_(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closep_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_free_ _cleanup_(cleanup_freep_)
#define _cleanup_fclose_ _cleanup_(cleanup_fclosep_)
#define _cleanup_close_ _cleanup_(cleanup_closep_)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
