/* SPDX-License-Identifier: MIT */
/*
 * allocator.h - anything that can allocate, reallocate and free.
 *
 * A pool takes its chunks from one of these; so can your own code. The
 * argument order lets libraries that accept an allocator (zstd, brotli,
 * protobuf-c, yyjson) take the three functions as they are.
 */
#ifndef ACRE_ALLOCATOR_H
#define ACRE_ALLOCATOR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* As old_size: the caller does not know. malloc's family accepts it. */
#define ACRE_SIZE_UNKNOWN ((size_t)-1)

/*
 * acre_allocator: three functions and the pointer they are given.
 *
 * allocate    returns size bytes aligned to 16, or NULL. Contents are
 *             indeterminate.
 * reallocate  moves p (old_size bytes, or ACRE_SIZE_UNKNOWN) to new_size
 *             bytes, or returns NULL and leaves p as it was. p may be NULL.
 *             A pool's source may do without (NULL): large objects that grow
 *             are then copied.
 * free        gives p back; NULL does nothing.
 *
 * Threads:  a pool calls its source from any thread, also at once from
 *           several, and with no lock of acre's held, but for what cleanups
 *           and the end of retired regions free (see doc/design.md).
 */
typedef struct acre_allocator {
	void *(*allocate)(void *userdata, size_t size);
	void *(*reallocate)(void *userdata, void *p, size_t old_size,
			    size_t new_size);
	void (*free)(void *userdata, void *p);
	void *userdata;
} acre_allocator;

/* malloc, realloc and free. */
extern const acre_allocator acre_malloc_allocator;

/*
 * Fresh mappings, for pieces of many pages: aligned to the OS page, and to
 * 2 MiB for the second, which asks for huge pages (MADV_HUGEPAGE; a pool over
 * it has chunks of 2 MiB unless told otherwise). Each piece costs a page
 * beside itself, and every call system calls.
 */
extern const acre_allocator acre_mmap_allocator, acre_huge_allocator;

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
