/* SPDX-License-Identifier: MIT */
/*
 * httpd_memory.h - where a request's memory comes from.
 *
 * Every call takes the request's region. NULL stands for malloc, so that the
 * same server can be measured without acre. What a region hands out needs no
 * memory_free (it does nothing there): the region's close takes it all.
 *
 * Threads: the region's owner only, as everywhere in acre.
 */
#ifndef HTTPD_MEMORY_H
#define HTTPD_MEMORY_H

#include <stddef.h>

#include <acre/acre.h>

/* The largest body that the server can be told to take. */
#define MEMORY_BODY_MAX ((size_t)64 * 1024 * 1024)

/*
 * memory_pool_create: the server's pool; max_bytes is 0 for no limit.
 *
 * Returns NULL and sets errno: EINVAL (max_bytes is less than a page),
 * ENOMEM.
 */
acre_pool *memory_pool_create(size_t max_bytes);

/*
 * memory_alloc, memory_zalloc: take size bytes.
 *
 * Returns NULL and sets errno: ENOMEM.
 */
void *memory_alloc(acre_region *region, size_t size);
void *memory_zalloc(acre_region *region, size_t size);

/*
 * memory_grow: make p, of old_size bytes, size bytes large; p may be NULL.
 *
 * Returns NULL and sets errno: ENOMEM; p is then as it was.
 */
void *memory_grow(acre_region *region, void *p, size_t old_size,
	size_t size);

/*
 * memory_printf: print into a string.
 *
 * Returns NULL and sets errno: ENOMEM, or vsnprintf's own.
 */
char *memory_printf(acre_region *region, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * memory_free: give p back to malloc; nothing in a region. NULL is fine.
 */
void memory_free(acre_region *region, void *p);

#endif
