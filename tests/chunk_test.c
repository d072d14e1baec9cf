/* SPDX-License-Identifier: MIT */
/* chunk_test.c - chunks are carved to the last page, and limits hold. */
#include "lib/chunk.h"

#include <pthread.h>
#include <unistd.h>

#include "tests/source.h"
#include "tests/suite.h"

#define PAGE ((size_t)4096)

static struct chunks *
chunks_of(struct test_source *source, size_t pages, size_t max_chunks)
{
	static struct chunks chunks;

	chunks = (struct chunks){
		.source = {
			.allocator = *test_source_init(source),
			.max_bytes = max_chunks * pages * PAGE,
		},
		.page_size = PAGE,
		.os_page_size = PAGE,
		.chunk_size = pages * PAGE,
	};
	return &chunks;
}

/* Carve as the pool does; returns blocks got, and where. */
static size_t
carve(struct chunks *chunks, unsigned order, size_t most, char **at)
{
	struct chunk *seen;
	struct batch batch;

	if (!chunks_carve(chunks, order, most, &seen, &batch))
		return 0;
	ck_assert(!batch.linked);
	*at = (char *)batch.first;
	return batch.count;
}

static int
grow(struct chunks *chunks, size_t *rest_pages)
{
	char *rest;

	return chunks_grow(chunks, load_acquire(&chunks->fresh), &rest,
		rest_pages);
}

START_TEST(aligned_source_loses_no_page)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 16, 0);
	size_t rest;
	char *at, *first;

	ck_assert_uint_eq(carve(chunks, 0, 64, &at), 0);
	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_uint_eq(rest, 0);
	ck_assert_uint_eq(source.last_size, 16 * PAGE);
	ck_assert_uint_eq(chunks_uncarved(chunks), 16 * PAGE);
	ck_assert_uint_eq(carve(chunks, 0, 10, &first), 10);
	ck_assert_uint_eq(carve(chunks, 0, 10, &at), 6);
	ck_assert_ptr_eq(at, first + 10 * PAGE);
	ck_assert_uint_eq(carve(chunks, 0, 10, &at), 0);
	ck_assert_uint_eq(load_relaxed(&chunks->slack), 0);
	chunks_release(chunks);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(misaligned_source_loses_one_page)
{
	struct test_source source = {.alignment = PAGE, .shift = 16};
	struct chunks *chunks = chunks_of(&source, 16, 0);
	size_t rest;
	char *at;

	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_uint_eq(carve(chunks, 0, 64, &at), 15);
	ck_assert_uint_eq((uintptr_t)at % PAGE, 0);
	ck_assert_uint_eq(load_relaxed(&chunks->slack), PAGE);
	chunks_release(chunks);
}
END_TEST

START_TEST(chunk_of_one_page_has_one_page_wherever_it_is)
{
	struct test_source source = {.alignment = PAGE, .shift = 16};
	struct chunks *chunks = chunks_of(&source, 1, 0);
	size_t rest;
	char *at;

	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_uint_eq(carve(chunks, 0, 64, &at), 1);
	chunks_release(chunks);
}
END_TEST

START_TEST(memory_that_is_not_aligned_to_16_is_refused)
{
	struct test_source source = {.alignment = PAGE, .shift = 8};
	struct chunks *chunks = chunks_of(&source, 16, 0);
	size_t rest;

	ck_assert_int_eq(grow(chunks, &rest), ENOMEM);
	ck_assert_uint_eq(source.live, 0);
	ck_assert_uint_eq(load_relaxed(&chunks->source.reserved), 0);
	chunks_release(chunks);
}
END_TEST

START_TEST(a_new_chunk_hands_over_what_the_old_one_had_left)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 16, 0);
	size_t rest;
	char *at;

	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_uint_eq(carve(chunks, 3, 1, &at), 1);
	ck_assert_uint_eq(carve(chunks, 0, 3, &at), 3);
	ck_assert_uint_eq(carve(chunks, 3, 1, &at), 0);
	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_uint_eq(rest, 5);
	ck_assert_uint_eq(chunks_uncarved(chunks), 16 * PAGE);
	chunks_release(chunks);
}
END_TEST

START_TEST(limit_is_kept_and_failure_changes_nothing)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 4, 2);
	size_t rest;
	char *at;

	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_int_eq(grow(chunks, &rest), EAGAIN);
	ck_assert_uint_eq(rest, 0);
	ck_assert_uint_eq(source.calls, 2);
	ck_assert_uint_eq(load_relaxed(&chunks->source.reserved), 8 * PAGE);
	ck_assert_uint_eq(carve(chunks, 0, 4, &at), 4);
	chunks_release(chunks);
}
END_TEST

START_TEST(source_that_fails_leaves_all_as_it_was)
{
	struct test_source source = {.alignment = PAGE, .fail_at = 2};
	struct chunks *chunks = chunks_of(&source, 4, 0);
	size_t rest;
	char *at;

	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_int_eq(grow(chunks, &rest), ENOMEM);
	ck_assert_uint_eq(load_relaxed(&chunks->source.reserved), 4 * PAGE);
	ck_assert_uint_eq(load_relaxed(&chunks->source.settled), 4 * PAGE);
	ck_assert_uint_eq(carve(chunks, 0, 4, &at), 4);
	chunks_release(chunks);
}
END_TEST

START_TEST(who_saw_an_older_chunk_does_not_ask_again)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 4, 0);
	size_t rest;
	char *unused;

	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_int_eq(chunks_grow(chunks, NULL, &unused, &rest), 0);
	ck_assert_uint_eq(source.calls, 1);
	chunks_release(chunks);
}
END_TEST

/* A source that grows the same chunks while it is asked: the one inside
 * wins, as another thread would. */
static struct chunks *racing;

static void *
racing_allocate(void *userdata, size_t size)
{
	static int depth;
	size_t rest;

	if (depth++ == 0)
		ck_assert_int_eq(grow(racing, &rest), 0);
	return test_source_allocate(userdata, size);
}

START_TEST(of_two_that_grow_at_once_one_gives_its_chunk_back)
{
	struct test_source source = {.alignment = PAGE};
	size_t rest;

	racing = chunks_of(&source, 4, 0);
	racing->source.allocator.allocate = racing_allocate;
	ck_assert_int_eq(grow(racing, &rest), 0);
	ck_assert_uint_eq(source.calls, 2);
	ck_assert_uint_eq(source.live, 1);
	ck_assert_uint_eq(load_relaxed(&racing->source.settled), 4 * PAGE);
	ck_assert_uint_eq(load_relaxed(&racing->source.reserved), 4 * PAGE);
	chunks_release(racing);
}
END_TEST

SUITE("chunk", aligned_source_loses_no_page, misaligned_source_loses_one_page,
	chunk_of_one_page_has_one_page_wherever_it_is,
	memory_that_is_not_aligned_to_16_is_refused,
	a_new_chunk_hands_over_what_the_old_one_had_left,
	limit_is_kept_and_failure_changes_nothing,
	source_that_fails_leaves_all_as_it_was,
	who_saw_an_older_chunk_does_not_ask_again,
	of_two_that_grow_at_once_one_gives_its_chunk_back)
