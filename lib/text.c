/* SPDX-License-Identifier: MIT */
/*
 * text.c - strings in a region.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "acre/acre.h"

char *
acre_strdup(acre_region *region, const char *string)
{
	size_t size = strlen(string) + 1;
	char *copy = acre_alloc(region, size);

	return copy ? memcpy(copy, string, size) : NULL;
}

/* Prints where the free bytes are, and again only if they do not suffice. */
char *
acre_vasprintf(acre_region *region, const char *format, va_list ap)
{
	char *text = (char *)region->top;
	size_t room = region->limit - region->top;
	va_list again;
	int length;

	va_copy(again, ap);
	length = vsnprintf(text, room, format, ap);
	if (length < 0) {
		text = NULL;
	} else if ((size_t)length < room) {
		region->top += ((size_t)length + ACRE_ALIGN) &
			~(size_t)(ACRE_ALIGN - 1);
	} else {
		text = acre_alloc(region, (size_t)length + 1);
		if (text)
			vsnprintf(text, (size_t)length + 1, format, again);
	}
	va_end(again);
	return text;
}

char *
acre_asprintf(acre_region *region, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = acre_vasprintf(region, format, ap);
	va_end(ap);
	return text;
}
