/* SPDX-License-Identifier: MIT */
/* freelist_test.c - lists give back what was pushed, once. */
#include "lib/freelist.h"

#include <string.h>

#include "tests/suite.h"

START_TEST(an_empty_list_gives_nothing)
{
	struct freelist list = {.head = NULL};

	ck_assert_ptr_null(freelist_pop(&list));
}
END_TEST

START_TEST(batches_come_back_whole_and_last_in_first_out)
{
	struct freelist list = {.head = NULL};
	static struct descriptor descriptors[8];
	struct block blocks[8];

	for (size_t i = 0; i < 8; i++) {
		struct batch batch = {
			.first = &blocks[i],
			.count = i + 1,
			.linked = i % 2,
		};

		freelist_push(&list, &descriptors[i], &batch);
	}
	for (size_t i = 8; i-- > 0;) {
		struct descriptor *d = freelist_pop(&list);

		ck_assert_ptr_eq(d, &descriptors[i]);
		ck_assert_ptr_eq(d->batch.first, &blocks[i]);
		ck_assert_uint_eq(d->batch.count, i + 1);
		ck_assert_int_eq(d->batch.linked, i % 2);
	}
	ck_assert_ptr_null(freelist_pop(&list));
}
END_TEST

START_TEST(overflow_needs_nothing_but_the_batch)
{
	static char memory[3][4096] __attribute__((aligned(16)));
	struct overflow overflow = {0};
	struct batch batch;

	overflow_init(&overflow);
	ck_assert(!overflow_pop(&overflow, &batch));
	for (size_t i = 0; i < 3; i++) {
		struct block *first = (struct block *)memory[i];

		first->next = (struct block *)memory[0];
		first->skip = (struct block *)memory[1];
		overflow_push(&overflow, &(struct batch){
			.first = first,
			.count = i + 1,
			.linked = true,
		});
	}
	ck_assert_uint_eq(load_relaxed(&overflow.count), 3);
	for (size_t i = 3; i-- > 0;) {
		ck_assert(overflow_pop(&overflow, &batch));
		ck_assert_ptr_eq(batch.first, memory[i]);
		ck_assert_uint_eq(batch.count, i + 1);
		ck_assert(batch.linked);
		/* The chain's own links have survived. */
		ck_assert_ptr_eq(batch.first->next, memory[0]);
		ck_assert_ptr_eq(batch.first->skip, memory[1]);
	}
	ck_assert(!overflow_pop(&overflow, &batch));
	ck_assert_uint_eq(load_relaxed(&overflow.count), 0);
	overflow_destroy(&overflow);
}
END_TEST

SUITE("freelist", an_empty_list_gives_nothing,
	batches_come_back_whole_and_last_in_first_out,
	overflow_needs_nothing_but_the_batch)
