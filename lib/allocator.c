/* SPDX-License-Identifier: MIT */
/*
 * allocator.c - the stock allocators.
 */
#include "acre/allocator.h"

#include <stdlib.h>

static void *
malloc_allocate(void *userdata, size_t size)
{
	(void)userdata;
	return malloc(size ? size : 1);
}

static void *
malloc_reallocate(void *userdata, void *p, size_t old_size, size_t new_size)
{
	(void)userdata;
	(void)old_size;
	/* realloc to 0 would free p. */
	return realloc(p, new_size ? new_size : 1);
}

static void
malloc_free(void *userdata, void *p)
{
	(void)userdata;
	free(p);
}

const acre_allocator acre_malloc_allocator = {
	.allocate = malloc_allocate,
	.reallocate = malloc_reallocate,
	.free = malloc_free,
};
