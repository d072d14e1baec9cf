/* SPDX-License-Identifier: MIT */
/*
 * bridge_test.h - a bridge keeps an allocator's promises. BRIDGE is the
 * allocator, BRIDGE_SIZE(p) asks its library how large p is. Compiled as C99
 * -pedantic and as C++, both with warnings as errors.
 */
#include <acre/acre.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LARGE ((size_t)4 << 20) /* more than half a chunk */

static const acre_allocator *const bridge = &BRIDGE;
static int failures;

static void
claim(const char *what, int holds)
{
	printf("%s: %s\n", holds ? "ok" : "FAILED", what);
	failures += !holds;
}

static int
is_aligned(const void *p)
{
	return p && (uintptr_t)p % ACRE_ALIGN == 0;
}

/* Neighbours: the first in a page is aligned whether asked for or not. */
static void
memory_is_aligned_whatever_its_size(void)
{
	void *p[4];
	int ok = 1;

	for (size_t size = 0; size < 5000; size += 7) {
		for (int i = 0; i < 4; i++) {
			p[i] = bridge->allocate(bridge->userdata, size);
			ok = ok && is_aligned(p[i]) &&
				BRIDGE_SIZE(p[i]) >= size;
		}
		for (int i = 0; i < 4; i++)
			bridge->free(bridge->userdata, p[i]);
	}
	claim("memory is aligned, whatever its size", ok);
}

static char *
resize(char *p, size_t old_size, size_t size)
{
	char *moved;

	p[0] = (char)size;
	moved = (char *)bridge->reallocate(bridge->userdata, p, old_size, size);
	return is_aligned(moved) && moved[0] == (char)size ? moved : NULL;
}

/* Neighbours again, each to sizes such that it moves. */
static void
contents_are_kept_with_and_without_the_old_size(void)
{
	static const size_t sizes[] = {40, 24, 100000, 1, 5000000, 56};
	int ok = 1;
	char *p[4];

	for (int i = 0; i < 4; i++) {
		size_t old_size = 8;

		p[i] = (char *)bridge->reallocate(bridge->userdata, NULL, 0, 8);
		for (size_t n = 0; p[i] && n < 6; n++) {
			p[i] = resize(p[i], n % 2 ? old_size :
				ACRE_SIZE_UNKNOWN, sizes[n]);
			old_size = sizes[n];
		}
		p[i] = p[i] ? resize(p[i], old_size, 8) : NULL;
		ok = ok && p[i];
	}
	for (int i = 0; i < 4; i++)
		bridge->free(bridge->userdata, p[i]);
	claim("contents are kept, with and without the old size", ok);
}

static void
what_is_freed_is_used_again(void)
{
	void *first = bridge->allocate(bridge->userdata, 1000);
	int found = 0;

	bridge->free(bridge->userdata, first);
	for (int i = 0; !found && i < 10000; i++) {
		void *p = bridge->allocate(bridge->userdata, 1000);

		found = p == first;
		bridge->free(bridge->userdata, p);
	}
	claim("what is freed is used again", found);
}

static void
size_0_and_null_are_fine(void)
{
	char *p = (char *)bridge->allocate(bridge->userdata, 8);
	void *empty = bridge->reallocate(bridge->userdata, NULL, 0, 0);

	p = (char *)bridge->reallocate(bridge->userdata, p, 8, 0);
	claim("size 0 and NULL are fine", p && empty);
	bridge->free(bridge->userdata, p);
	bridge->free(bridge->userdata, empty);
	bridge->free(bridge->userdata, NULL);
}

static void
what_cannot_be_is_refused_and_changes_nothing(void)
{
	/* Not a constant, so that the compiler does not see it. */
	volatile size_t size = SIZE_MAX;
	char *p = (char *)bridge->allocate(bridge->userdata, 8);
	int ok = p && !bridge->allocate(bridge->userdata, size);

	if (p)
		strcpy(p, "kept");
	ok = ok && !bridge->reallocate(bridge->userdata, p, 8, size) &&
		!strcmp(p, "kept");
	bridge->free(bridge->userdata, p);
	claim("what cannot be is refused and changes nothing", ok);
}

/* Pages, and a large object that is the source's own memory and grows. */
static int
fill(acre_region *r)
{
	char *large = (char *)acre_alloc(r, LARGE);
	int ok = large && BRIDGE_SIZE(large) >= LARGE;

	for (int i = 0; ok && i < 10000; i++)
		ok = acre_zalloc(r, 100) != NULL;
	if (!ok)
		return 0;
	large[LARGE - 1] = 'x';
	large = (char *)acre_realloc(r, large, LARGE, 3 * LARGE);
	return large && BRIDGE_SIZE(large) >= 3 * LARGE &&
		large[LARGE - 1] == 'x';
}

static void
a_pool_lives_on_it(void)
{
	acre_pool_options options;
	acre_pool *pool;
	int ok = 1;

	memset(&options, 0, sizeof(options));
	options.source = bridge;
	pool = acre_pool_create(&options);
	for (int i = 0; i < 10; i++) {
		acre_region *r = acre_region_open(pool);

		ok = ok && r && fill(r);
		acre_region_close(r);
	}
	claim("a pool lives on it", ok && acre_pool_destroy(pool) == 0);
}

int
main(void)
{
	memory_is_aligned_whatever_its_size();
	contents_are_kept_with_and_without_the_old_size();
	what_is_freed_is_used_again();
	size_0_and_null_are_fine();
	what_cannot_be_is_refused_and_changes_nothing();
	a_pool_lives_on_it();
	return failures ? 1 : 0;
}
