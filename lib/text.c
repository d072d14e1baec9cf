/* SPDX-License-Identifier: MIT */
/*
 * text.c - strings in a region.
 *
 * Copies are packed from the end of the block downwards, without padding:
 * more.end is the last one's first byte, and limit is that, rounded down.
 */
#include <stdio.h>
#include <string.h>

#include "lib/region.h"

/* size bytes, not aligned. */
static char *
pack(acre_region *cursor, size_t size)
{
	struct region *region = region_of(cursor);
	struct more *more = region_more(region);

	if (region->state & STATE_DETACHED || size > more->end - cursor->top)
		return acre_alloc(cursor, size);
	more->end -= size;
	more->packed += size;
	cursor->limit = more->end & ~(uintptr_t)(ACRE_ALIGN - 1);
	return (char *)more->end;
}

static char *
copy(acre_region *cursor, const char *string, size_t length)
{
	char *text = pack(cursor, length + 1);

	if (!text)
		return NULL;
	memcpy(text, string, length);
	text[length] = '\0';
	return text;
}

char *
acre_strdup(acre_region *cursor, const char *string)
{
	return copy(cursor, string, strlen(string));
}

char *
acre_strndup(acre_region *cursor, const char *string, size_t n)
{
	return copy(cursor, string, strnlen(string, n));
}

/* Prints where the free bytes are, and again only if they do not suffice. */
char *
acre_vasprintf(acre_region *cursor, const char *format, va_list ap)
{
	char *text = (char *)cursor->top;
	size_t room = cursor->limit - cursor->top;
	va_list again;
	int length;

	va_copy(again, ap);
	length = vsnprintf(text, room, format, ap);
	if (length < 0) {
		text = NULL;
	} else if ((size_t)length < room) {
		cursor->top += ((size_t)length + ACRE_ALIGN) &
			~(size_t)(ACRE_ALIGN - 1);
	} else {
		text = acre_alloc(cursor, (size_t)length + 1);
		if (text)
			vsnprintf(text, (size_t)length + 1, format, again);
	}
	va_end(again);
	return text;
}

char *
acre_asprintf(acre_region *cursor, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = acre_vasprintf(cursor, format, ap);
	va_end(ap);
	return text;
}
