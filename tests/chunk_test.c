/* SPDX-License-Identifier: MIT */
/* chunk_test.c - chunks are carved to the last page, and limits hold. */
#include "lib/chunk.h"

#include <pthread.h>
#include <unistd.h>

#include "lib/grace.h"
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
	chunks_init(&chunks);
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
	struct run rest;
	int error = chunks_grow(chunks, load_acquire(&chunks->fresh), &rest);

	*rest_pages = rest.pages;
	return error;
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
	struct run unused;

	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_int_eq(chunks_grow(chunks, NULL, &unused), 0);
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

/* ---- the table ---- */

enum { TABLE_CHUNKS = 300 };

/* So many chunks, all carved, known by their first pages. */
static void
carve_all(struct chunks *chunks, char **first)
{
	size_t rest;

	for (size_t i = 0; i < TABLE_CHUNKS; i++) {
		ck_assert_int_eq(grow(chunks, &rest), 0);
		ck_assert_uint_eq(carve(chunks, 0, 4, &first[i]), 4);
		/* Looked up as they come, they are sorted in piece by piece. */
		if (i % 7 == 0)
			ck_assert_ptr_nonnull(chunks_find(chunks, first[i]));
	}
}

START_TEST(each_page_leads_to_its_chunk)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 4, 0);
	static char *first[TABLE_CHUNKS];

	carve_all(chunks, first);
	for (size_t i = 0; i < TABLE_CHUNKS; i++)
		for (size_t page = 0; page < 4; page++) {
			struct chunk *chunk = chunks_find(chunks,
				first[i] + page * PAGE + page);

			ck_assert_ptr_nonnull(chunk);
			ck_assert_ptr_eq(chunk->pages, first[i]);
		}
	ck_assert_uint_eq(chunks->table_count, TABLE_CHUNKS);
	ck_assert_ptr_null(chunks_find(chunks, chunks));
	ck_assert_ptr_null(chunks_find(chunks, NULL));
	ck_assert_ptr_null(chunks_find(chunks, (void *)UINTPTR_MAX));
	chunks_release(chunks);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(what_was_taken_is_found_no_more)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 4, 0);
	static char *first[TABLE_CHUNKS];

	carve_all(chunks, first);
	for (size_t i = 0; i < TABLE_CHUNKS; i += 3) {
		struct chunk *chunk = chunks_find(chunks, first[i]);

		ck_assert(!chunks_take(chunks, chunk, 3));
		ck_assert(chunks_take(chunks, chunk, 4));
		chunks_give(chunks, chunk);
	}
	for (size_t i = 0; i < TABLE_CHUNKS; i++)
		ck_assert_int_eq(!chunks_find(chunks, first[i]), i % 3 == 0);
	ck_assert_uint_eq(source.live, TABLE_CHUNKS * 2 / 3);
	ck_assert_uint_eq(load_relaxed(&chunks->count), TABLE_CHUNKS * 2 / 3);
	chunks_release(chunks);
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

START_TEST(nobody_carves_a_fresh_chunk_that_was_taken)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 16, 0);
	struct chunk *chunk, *seen;
	struct batch batch;
	size_t rest_pages;
	struct run rest;
	char *at;

	ck_assert_int_eq(grow(chunks, &rest_pages), 0);
	ck_assert(chunks_carve(chunks, 0, 3, &seen, &batch));
	chunk = chunks_find(chunks, batch.first);
	ck_assert_ptr_eq(chunk, seen);
	ck_assert(chunks_take(chunks, chunk, 3));
	ck_assert_uint_eq(carve(chunks, 0, 1, &at), 0);
	/* Who saw it before gets no rest of it, and no second chunk. */
	ck_assert_int_eq(chunks_grow(chunks, seen, &rest), 0);
	ck_assert_uint_eq(rest.pages, 0);
	ck_assert_uint_eq(source.calls, 1);
	chunks_give(chunks, chunk);
	ck_assert_uint_eq(source.live, 0);
	ck_assert_uint_eq(chunks_uncarved(chunks), 0);
	ck_assert_int_eq(grow(chunks, &rest_pages), 0);
	ck_assert_uint_eq(carve(chunks, 0, 99, &at), 16);
	chunks_release(chunks);
}
END_TEST

/* Who has read fresh may look at the record until a grace period has passed:
 * ASan and TSan would see it freed. */
START_TEST(a_record_outlives_its_chunk)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 4, 0);
	static char *first[TABLE_CHUNKS];
	struct chunk *chunk;

	carve_all(chunks, first);
	chunk = chunks_find(chunks, first[0]);
	ck_assert(chunks_take(chunks, chunk, 4));
	chunks_give(chunks, chunk);
	chunks_forget(chunks);
	ck_assert_ptr_eq(chunks->gone, chunk);
	ck_assert_uint_eq(load_relaxed(&chunk->carved), 4);
	grace_begin();
	grace_end();
	/* One that goes now is not forgotten with it. */
	chunk = chunks_find(chunks, first[1]);
	ck_assert(chunks_take(chunks, chunk, 4));
	chunks_give(chunks, chunk);
	chunks_forget(chunks);
	ck_assert_ptr_eq(chunks->gone, chunk);
	ck_assert_ptr_null(chunk->next);
	chunks_release(chunks);
}
END_TEST

START_TEST(uncarved_counts_chunks_in_the_table_and_before_it)
{
	struct test_source source = {.alignment = PAGE};
	struct chunks *chunks = chunks_of(&source, 16, 0);
	size_t rest;
	char *at;

	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_uint_eq(carve(chunks, 0, 5, &at), 5);
	ck_assert_uint_eq(chunks_uncarved(chunks), 11 * PAGE);
	ck_assert_ptr_nonnull(chunks_find(chunks, at));
	ck_assert_uint_eq(chunks_uncarved(chunks), 11 * PAGE);
	ck_assert_int_eq(grow(chunks, &rest), 0);
	ck_assert_uint_eq(rest, 11);
	ck_assert_uint_eq(chunks_uncarved(chunks), 16 * PAGE);
	chunks_release(chunks);
}
END_TEST

SUITE("chunk", aligned_source_loses_no_page, misaligned_source_loses_one_page,
	chunk_of_one_page_has_one_page_wherever_it_is,
	memory_that_is_not_aligned_to_16_is_refused,
	a_new_chunk_hands_over_what_the_old_one_had_left,
	limit_is_kept_and_failure_changes_nothing,
	source_that_fails_leaves_all_as_it_was,
	who_saw_an_older_chunk_does_not_ask_again,
	of_two_that_grow_at_once_one_gives_its_chunk_back,
	each_page_leads_to_its_chunk, what_was_taken_is_found_no_more,
	nobody_carves_a_fresh_chunk_that_was_taken,
	a_record_outlives_its_chunk,
	uncarved_counts_chunks_in_the_table_and_before_it)
