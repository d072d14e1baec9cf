/* SPDX-License-Identifier: MIT */
/*
 * input.c - the string of bytes that decides everything.
 */
#include "fuzz/input.h"

#include "fuzz/actors.h"

static const uint8_t *at, *end;

void
input_begin(const uint8_t *data, size_t size)
{
	at = data;
	end = data + size;
}

bool
input_left(void)
{
	return at < end;
}

size_t
byte(void)
{
	return at < end ? *at++ : 0;
}

size_t
below(size_t n)
{
	return byte() % n;
}

size_t
some_size(void)
{
	size_t first = byte();

	if (first < 192)
		return first * 8 + below(9);
	return ((size_t)256 << (first - 192) % 12) + byte() - 128;
}

unsigned
some_actor(void)
{
	size_t n = byte();

	return n < 128 ? 0 : (unsigned)(n % ACTORS);
}
