/* SPDX-License-Identifier: MIT */
/* block_test.c - batches are cut without a walk, and nothing is lost. */
#include "lib/block.h"

#include <string.h>

#include "tests/suite.h"

#define MANY 40

static struct block blocks[MANY + 1];

/* Number n is blocks[n]; what is not written is all ones. */
static struct batch
chain_of(size_t count, size_t full)
{
	struct chain chain = {0};

	memset(blocks, 0xff, sizeof(blocks));
	for (size_t n = 0; n < count; n++)
		chain_append(&chain, &blocks[n], full);
	ck_assert_ptr_eq(chain.last, &blocks[count - 1]);
	return (struct batch){
		.first = chain.first,
		.count = chain.count,
		.linked = true,
	};
}

/* Check that piece is the blocks from number `from` on, in order. */
static size_t
assert_piece(struct batch piece, size_t from)
{
	struct block *block = piece.first;

	ck_assert(piece.linked);
	for (size_t i = 0; i < piece.count; i++) {
		ck_assert_ptr_eq(block, &blocks[from + i]);
		block = block->next;
	}
	return from + piece.count;
}

START_TEST(chain_is_cut_into_full_batches_in_order)
{
	for (size_t full = 1; full <= 16; full *= 2) {
		for (size_t count = 1; count <= MANY; count++) {
			struct batch batch = chain_of(count, full);
			size_t at = 0;

			while (batch.count) {
				struct batch piece = batch_cut(&batch, full,
					sizeof(struct block));

				ck_assert_uint_eq(piece.count,
					count - at < full ? count - at : full);
				at = assert_piece(piece, at);
				ck_assert_uint_eq(batch.count, count - at);
			}
			ck_assert_uint_eq(at, count);
		}
	}
}
END_TEST

START_TEST(extent_is_cut_without_a_touch)
{
	/* No memory there: a touch would end the test. */
	struct batch batch = {
		.first = (struct block *)4096,
		.count = 10,
	};
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

START_TEST(a_full_batch_is_taken_block_by_block)
{
	struct batch batch = chain_of(8, 8);

	for (size_t i = 0; i < 8; i++)
		ck_assert_ptr_eq(batch_take(&batch, 0), &blocks[i]);
	ck_assert_uint_eq(batch.count, 0);
}
END_TEST

SUITE("block", chain_is_cut_into_full_batches_in_order,
	extent_is_cut_without_a_touch, a_full_batch_is_taken_block_by_block)
