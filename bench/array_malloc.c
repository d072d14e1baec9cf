/* SPDX-License-Identifier: MIT */
/*
 * array_malloc.c - what one writes by hand: realloc to twice as much.
 *
 * "malloc" is a small vector of a struct and a push, as most have it. "malloc,
 * tuned" is told n and writes each loop out: what could be known is known.
 */
#include <stdlib.h>

#include "bench/array_peer.h"

struct vector {
	int *data;
	size_t length, capacity;
};

static int
vector_push(struct vector *v, int value)
{
	if (v->length == v->capacity) {
		size_t capacity = v->capacity ? 2 * v->capacity : 16;
		int *data = realloc(v->data, capacity * sizeof *data);

		if (!data)
			return -1;
		v->data = data;
		v->capacity = capacity;
	}
	v->data[v->length++] = value;
	return 0;
}

static int
push(size_t n)
{
	struct vector v = {NULL, 0, 0};
	int last;

	for (size_t i = 0; i < n; i++)
		if (vector_push(&v, (int)i) != 0)
			abort();
	array_show(v.data);
	last = v.data[v.length - 1];
	free(v.data);
	return last;
}

static ARRAY_CALL int
add(struct vector *v, int value)
{
	return vector_push(v, value);
}

static int
call(size_t n)
{
	struct vector v = {NULL, 0, 0};
	int last;

	for (size_t i = 0; i < n; i++)
		if (add(&v, (int)i) != 0)
			abort();
	last = v.data[v.length - 1];
	free(v.data);
	return last;
}

static long
chain(const int *numbers, size_t n)
{
	struct vector odd = {NULL, 0, 0}, mapped = {NULL, 0, 0};
	long sum = 0;

	for (size_t i = 0; i < n; i++)
		if (numbers[i] % 2 != 0 && vector_push(&odd, numbers[i]) != 0)
			abort();
	for (size_t i = 0; i < odd.length; i++)
		if (vector_push(&mapped, 3 * odd.data[i] + 1) != 0)
			abort();
	for (size_t i = 0; i < mapped.length; i++)
		sum += mapped.data[i];
	free(odd.data);
	free(mapped.data);
	return sum;
}

const struct array_peer array_peer_malloc = {"malloc", push, call, chain};

static int *
ints(size_t n)
{
	int *data = malloc((n ? n : 1) * sizeof *data);

	if (!data)
		abort();
	return data;
}

static int
tuned_push(size_t n)
{
	int *data = ints(n), last;

	for (size_t i = 0; i < n; i++)
		data[i] = (int)i;
	array_show(data);
	last = data[n - 1];
	free(data);
	return last;
}

static ARRAY_CALL void
tuned_add(int **end, int value)
{
	*(*end)++ = value;
}

static int
tuned_call(size_t n)
{
	int *data = ints(n), *end = data, last;

	for (size_t i = 0; i < n; i++)
		tuned_add(&end, (int)i);
	last = end[-1];
	free(data);
	return last;
}

static long
tuned_chain(const int *numbers, size_t n)
{
	int *odd = ints(n), *mapped;
	size_t length = 0;
	long sum = 0;

	for (size_t i = 0; i < n; i++) {
		odd[length] = numbers[i];
		length += numbers[i] % 2 != 0;
	}
	mapped = ints(length);
	for (size_t i = 0; i < length; i++)
		mapped[i] = 3 * odd[i] + 1;
	for (size_t i = 0; i < length; i++)
		sum += mapped[i];
	free(odd);
	free(mapped);
	return sum;
}

const struct array_peer array_peer_malloc_tuned = {
	"malloc, tuned", tuned_push, tuned_call, tuned_chain};
