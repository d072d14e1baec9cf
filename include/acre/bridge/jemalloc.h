/* SPDX-License-Identifier: MIT */
/*
 * jemalloc.h - jemalloc as an allocator, a pool's source for example:
 *
 *	acre_pool_options options = {0};
 *
 *	options.source = &acre_jemalloc_allocator;
 *
 * Link with jemalloc. Where its header is not <jemalloc/jemalloc.h>, include
 * yours first (FreeBSD: <malloc_np.h>). Where its functions have a prefix,
 * say so first:
 *
 *	#define ACRE_JEMALLOC(name) je_##name
 */
#ifndef ACRE_BRIDGE_JEMALLOC_H
#define ACRE_BRIDGE_JEMALLOC_H

#if !defined(MALLOCX_ALIGN) && defined(__has_include)
#if !__has_include(<jemalloc/jemalloc.h>)
#error "acre/bridge/jemalloc.h needs <jemalloc/jemalloc.h> (libjemalloc-dev)"
#endif
#endif
#ifndef MALLOCX_ALIGN
#include <jemalloc/jemalloc.h>
#endif

#include <acre/allocator.h>

#ifndef ACRE_JEMALLOC
#define ACRE_JEMALLOC(name) name
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* mallocx, rallocx and dallocx leave size 0 and NULL undefined. */

static inline void *
acre_jemalloc_allocate(void *userdata, size_t size)
{
	(void)userdata;
	return ACRE_JEMALLOC(mallocx)(size ? size : 1, MALLOCX_ALIGN(16));
}

static inline void *
acre_jemalloc_reallocate(void *userdata, void *p, size_t old_size,
	size_t new_size)
{
	(void)old_size;
	if (!p)
		return acre_jemalloc_allocate(userdata, new_size);
	return ACRE_JEMALLOC(rallocx)(p, new_size ? new_size : 1,
		MALLOCX_ALIGN(16));
}

static inline void
acre_jemalloc_free(void *userdata, void *p)
{
	(void)userdata;
	if (p)
		ACRE_JEMALLOC(dallocx)(p, 0);
}

static const acre_allocator acre_jemalloc_allocator = {
	acre_jemalloc_allocate,
	acre_jemalloc_reallocate,
	acre_jemalloc_free,
	NULL,
};

#ifdef __cplusplus
}
#endif

#endif
