/* SPDX-License-Identifier: MIT */
/* allocator_test.c - the stock allocators keep the interface's promises. */
#include <stdint.h>
#include <string.h>

#include "tests/suite.h"

START_TEST(malloc_gives_aligned_memory_and_keeps_contents)
{
	const acre_allocator *a = &acre_malloc_allocator;
	char *p = a->allocate(a->userdata, 100);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq((uintptr_t)p % ACRE_ALIGN, 0);
	memset(p, 'x', 100);
	p = a->reallocate(a->userdata, p, 100, 100000);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p[99], 'x');
	p = a->reallocate(a->userdata, p, ACRE_SIZE_UNKNOWN, 10);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p[9], 'x');
	a->free(a->userdata, p);
	a->free(a->userdata, NULL);
}
END_TEST

START_TEST(malloc_reallocates_null_as_new)
{
	const acre_allocator *a = &acre_malloc_allocator;
	void *p = a->reallocate(a->userdata, NULL, 0, 10);

	ck_assert_ptr_nonnull(p);
	a->free(a->userdata, p);
}
END_TEST

START_TEST(malloc_refuses_what_cannot_be)
{
	const acre_allocator *a = &acre_malloc_allocator;
	/* Not a constant, so that the compiler does not see it. */
	volatile size_t size = SIZE_MAX;

	ck_assert_ptr_null(a->allocate(a->userdata, size));
}
END_TEST

SUITE("allocator", malloc_gives_aligned_memory_and_keeps_contents,
	malloc_reallocates_null_as_new, malloc_refuses_what_cannot_be)
