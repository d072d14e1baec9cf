/* SPDX-License-Identifier: MIT */
/*
 * mimalloc.h - mimalloc as an allocator, a pool's source for example:
 *
 *	acre_pool_options options = {0};
 *
 *	options.source = &acre_mimalloc_allocator;
 *
 * Link with mimalloc. Where its header is not <mimalloc.h>, include yours
 * first.
 */
#ifndef ACRE_BRIDGE_MIMALLOC_H
#define ACRE_BRIDGE_MIMALLOC_H

#if !defined(MI_MALLOC_VERSION) && defined(__has_include)
#if !__has_include(<mimalloc.h>)
#error "acre/bridge/mimalloc.h needs <mimalloc.h> (libmimalloc-dev)"
#endif
#endif
#ifndef MI_MALLOC_VERSION
#include <mimalloc.h>
#endif

#include <acre/allocator.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void *
acre_mimalloc_allocate(void *userdata, size_t size)
{
	(void)userdata;
	return mi_malloc_aligned(size, 16);
}

static inline void *
acre_mimalloc_reallocate(void *userdata, void *p, size_t old_size,
	size_t new_size)
{
	(void)userdata;
	(void)old_size;
	return mi_realloc_aligned(p, new_size, 16);
}

static inline void
acre_mimalloc_free(void *userdata, void *p)
{
	(void)userdata;
	mi_free(p);
}

static const acre_allocator acre_mimalloc_allocator = {
	acre_mimalloc_allocate,
	acre_mimalloc_reallocate,
	acre_mimalloc_free,
	NULL,
};

#ifdef __cplusplus
}
#endif

#endif
