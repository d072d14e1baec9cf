/* SPDX-License-Identifier: MIT */
/*
 * httpd_memory.c - a request's memory: its region, or malloc for NULL.
 *
 * The only file of the example that knows both sides.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf */
#endif

#include "httpd_memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

acre_pool *
memory_pool_create(size_t max_bytes)
{
	acre_pool_options options = {
		.max_bytes = max_bytes,
		.name = "httpd",
	};

	return acre_pool_create(&options);
}

void *
memory_alloc(acre_region *region, size_t size)
{
	return region ? acre_alloc(region, size) : malloc(size);
}

void *
memory_zalloc(acre_region *region, size_t size)
{
	return region ? acre_zalloc(region, size) : calloc(1, size);
}

void *
memory_grow(acre_region *region, void *p, size_t old_size, size_t size)
{
	return region ? acre_realloc(region, p, old_size, size) :
			realloc(p, size);
}

char *
memory_printf(acre_region *region, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	if (region != NULL)
		text = acre_vasprintf(region, format, ap);
	else if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	return text;
}

void
memory_free(acre_region *region, void *p)
{
	if (region == NULL)
		free(p);
}
