/* SPDX-License-Identifier: MIT */
/* block_test.c - batches are cut without a walk, and nothing is lost. */
#include "lib/block.h"

#include <string.h>

#include "tests/suite.h"

#define MANY 40

static struct block blocks[MANY + 1];

/* A chain as a region builds it: block number n is blocks[n]. */
static struct batch
chain_of(size_t count, size_t full)
{
	struct block *rest = NULL;

	memset(blocks, 0xff, sizeof(blocks));
	for (size_t n = 1; n <= count; n++) {
		blocks[n].next = &blocks[n - 1];
		if (n % full == 0) {
			blocks[n].skip = rest;
			rest = &blocks[n];
		}
	}
	if (count <= full)
		rest = NULL;
	else if (count % full == 0)
		rest = rest->skip;
	return (struct batch){&blocks[count], rest, count, true};
}

/* Check that piece is the blocks below number `from`, in order. */
static size_t
assert_piece(struct batch piece, size_t from)
{
	struct block *block = piece.first;

	for (size_t i = 0; i < piece.count; i++) {
		ck_assert_ptr_eq(block, &blocks[from - i]);
		block = block->next;
	}
	return from - piece.count;
}

START_TEST(chain_is_cut_into_full_batches_in_order)
{
	for (size_t full = 1; full <= 16; full *= 2) {
		for (size_t count = 1; count <= MANY; count++) {
			struct batch batch = chain_of(count, full);
			size_t left = count;

			while (batch.count) {
				struct batch piece = batch_cut(&batch, full,
					sizeof(struct block));

				ck_assert_uint_ge(piece.count, 1);
				ck_assert_uint_le(piece.count, full);
				ck_assert(piece.linked);
				ck_assert_ptr_null(piece.rest);
				left = assert_piece(piece, left);
				ck_assert_uint_eq(left, batch.count);
			}
			ck_assert_uint_eq(left, 0);
		}
	}
}
END_TEST

START_TEST(only_the_first_piece_is_not_full)
{
	struct batch batch = chain_of(19, 8);

	ck_assert_uint_eq(batch_cut(&batch, 8, 0).count, 3);
	ck_assert_uint_eq(batch_cut(&batch, 8, 0).count, 8);
	ck_assert_uint_eq(batch_cut(&batch, 8, 0).count, 8);
	ck_assert_uint_eq(batch.count, 0);
}
END_TEST

START_TEST(extent_is_cut_without_a_touch)
{
	/* No memory there: a touch would end the test. */
	struct batch batch = {(struct block *)4096, NULL, 10, false};
	struct batch piece = batch_cut(&batch, 8, 4096);

	ck_assert_uint_eq(piece.count, 8);
	ck_assert_ptr_eq(piece.first, (struct block *)4096);
	ck_assert_uint_eq(batch.count, 2);
	ck_assert_ptr_eq(batch.first, (struct block *)(9 * 4096));
	piece = batch_cut(&batch, 8, 4096);
	ck_assert_uint_eq(piece.count, 2);
	ck_assert_uint_eq(batch.count, 0);
}
END_TEST

START_TEST(chain_can_be_cut_after_single_takes)
{
	for (size_t takes = 0; takes < MANY; takes++) {
		struct batch batch = chain_of(MANY, 8);
		size_t left = MANY;

		for (size_t i = 0; i < takes; i++)
			ck_assert_ptr_eq(batch_take(&batch, 0),
				&blocks[left--]);
		while (batch.count)
			left = assert_piece(batch_cut(&batch, 8, 0), left);
		ck_assert_uint_eq(left, 0);
	}
}
END_TEST

SUITE("block", chain_is_cut_into_full_batches_in_order,
	only_the_first_piece_is_not_full, extent_is_cut_without_a_touch,
	chain_can_be_cut_after_single_takes)
