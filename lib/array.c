/* SPDX-License-Identifier: MIT */
/*
 * array.c - what array.h does not do inline, for elements of any size.
 *
 * Memory moves in one function, resize, which asks the array's allocator and
 * changes the array only when it has what it asked for. Whoever fails returns
 * before anything else has changed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acre/array.h"
#include "lib/sizes.h"

/* What the first growth gives at least. */
#define FIRST_BYTES 64
#define FIRST_ELEMENTS 4

typedef struct acre_array_any any;

static size_t
first(size_t size)
{
	return larger(FIRST_BYTES / size, FIRST_ELEMENTS);
}

/* An array is no more bytes than two pointers can be apart. */
static size_t
most(size_t size)
{
	return PTRDIFF_MAX / size;
}

/* ---- memory --------------------------------------------------------- */

/* reallocate, for an allocator that has none. */
static void *
move(const acre_allocator *allocator, void *p, size_t old_size, size_t size)
{
	void *moved = allocator->allocate(allocator->userdata, size);

	if (!moved || !p)
		return moved;
	memcpy(moved, p, smaller(old_size, size));
	allocator->free(allocator->userdata, p);
	return moved;
}

static void *
reallocate(const any *a, size_t old_size, size_t size)
{
	const acre_allocator *allocator = &a->allocator;

	if (!a->data || !allocator->reallocate)
		return move(allocator, a->data, old_size, size);
	return allocator->reallocate(allocator->userdata, a->data, old_size,
		size);
}

/* Have a capacity of n elements, no fewer than the length and not none. */
static int
resize(any *a, size_t size, size_t n)
{
	void *moved;

	if (a->error)
		return a->error;
	if (a->view || !a->allocator.allocate)
		return EPERM;
	if (n > most(size))
		return ENOMEM;
	moved = reallocate(a, a->capacity * size, n * size);
	if (!moved)
		return ENOMEM;
	a->data = moved;
	a->capacity = n;
	return 0;
}

void
acre_array_any_free(any *a)
{
	if (!a->view && a->data)
		a->allocator.free(a->allocator.userdata, a->data);
	a->data = NULL;
	a->length = 0;
	a->capacity = 0;
}

int
acre_array_any_reserve(any *a, size_t size, size_t n)
{
	return n > a->capacity ? resize(a, size, n) : a->error;
}

int
acre_array_any_grow(any *a, size_t size, size_t more)
{
	size_t needed = a->length + more;
	size_t twice = smaller(2 * a->capacity, most(size));

	if (needed < more)
		return ENOMEM;
	if (needed <= a->capacity)
		return 0;
	return resize(a, size, larger(larger(first(size), twice), needed));
}

/* It begins with an eighth, and grows when an eighth of it is left. */
int
acre_array_any_room(any *a, size_t size, size_t n)
{
	size_t spare = a->capacity - a->length;
	size_t usual = larger(larger(first(size), n / 8), 2 * a->capacity);
	int error;

	if (spare >= smaller(n, a->capacity / 8 + 1))
		return 0;
	error = resize(a, size, smaller(usual, a->length + n));
	if (error) {
		acre_array_any_free(a);
		a->error = error;
	}
	return error;
}

int
acre_array_any_shrink(any *a, size_t size)
{
	if (a->error)
		return a->error;
	if (a->length == a->capacity)
		return 0;
	if (a->length || a->view)
		return resize(a, size, a->length);
	acre_array_any_free(a);
	return 0;
}

/* ---- making --------------------------------------------------------- */

any
acre_array_any_make(acre_allocator in, size_t size, size_t n, int error)
{
	any a = {NULL, 0, 0, in, error, 0};

	if (error || !n)
		return a;
	a.error = resize(&a, size, n);
	if (!a.error)
		a.length = n;
	return a;
}

any
acre_array_any_zeroed(acre_allocator in, size_t size, size_t n)
{
	any a = acre_array_any_make(in, size, n, 0);

	if (a.length)
		memset(a.data, 0, a.length * size);
	return a;
}

any
acre_array_any_clone(acre_allocator in, size_t size, const void *from,
	size_t n, int error)
{
	any a = acre_array_any_make(in, size, n, error);

	if (a.length)
		memcpy(a.data, from, a.length * size);
	return a;
}

void *
acre_array_any_to_c(acre_allocator in, size_t size, const void *from, size_t n,
	int error)
{
	any a = acre_array_any_make(in, size, n ? n : 1, error);

	if (a.data && n)
		memcpy(a.data, from, n * size);
	return a.data;
}

/* ---- changing ------------------------------------------------------- */

static char *
element(const any *a, size_t size, size_t i)
{
	return (char *)a->data + i * size;
}

int
acre_array_any_open(any *a, size_t size, size_t i)
{
	int error;

	if (i > a->length)
		return EINVAL;
	error = acre_array_any_grow(a, size, 1);
	if (error)
		return error;
	memmove(element(a, size, i + 1), element(a, size, i),
		(a->length - i) * size);
	a->length++;
	return 0;
}

int
acre_array_any_remove(any *a, size_t size, size_t i)
{
	if (i >= a->length)
		return EINVAL;
	a->length--;
	memmove(element(a, size, i), element(a, size, i + 1),
		(a->length - i) * size);
	return 0;
}

/* Is it in a's memory, which may move? */
static int
is_inside(const any *a, size_t size, const void *p)
{
	return (uintptr_t)p - (uintptr_t)a->data < a->capacity * size;
}

int
acre_array_any_append(any *a, size_t size, const void *from, size_t n,
	int error)
{
	int inside = is_inside(a, size, from);
	size_t offset = (uintptr_t)from - (uintptr_t)a->data;

	if (error || !n)
		return error ? error : a->error;
	error = acre_array_any_grow(a, size, n);
	if (error)
		return error;
	if (inside)
		from = (const char *)a->data + offset;
	memmove(element(a, size, a->length), from, n * size);
	a->length += n;
	return 0;
}

/* More than a can hold is not in its memory. */
int
acre_array_any_assign(any *a, size_t size, const void *from, size_t n,
	int error)
{
	if (!error)
		error = acre_array_any_reserve(a, size, n);
	if (error)
		return error;
	if (n)
		memmove(a->data, from, n * size);
	a->length = n;
	return 0;
}

int
acre_array_any_sorted(any *scratch, size_t size, void *data,
	const void *sorted)
{
	if (sorted != data)
		memcpy(data, sorted, scratch->length * size);
	acre_array_any_free(scratch);
	return scratch->error;
}

/* ---- bad indexes ---------------------------------------------------- */

void
acre_array_bad_index(const char *file, int line, size_t i, size_t length)
{
	fprintf(stderr, "%s:%d: index %zu of an array of %zu\n", file, line, i,
		length);
	abort();
}
