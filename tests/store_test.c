/* SPDX-License-Identifier: MIT */
/* store_test.c - free pages are sorted by chunk, and come out once. */
#include "lib/store.h"

#include <inttypes.h>
#include <time.h>

#include "tests/source.h"
#include "tests/suite.h"

#define PAGE ((size_t)4096)
#define PAGES 16 /* to a chunk, but where a test says otherwise */

static struct test_source source;
static struct chunks chunks;
static char *carved[200]; /* the first page of each chunk */

/* The linker puts this in the place of all calls: the table's memory. */
static _Thread_local bool no_malloc;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	return no_malloc ? NULL : __real_malloc(size);
}

/* So many chunks, all of them carved but the last's last `left` pages. */
static void
setup(size_t count, size_t pages, size_t left)
{
	source = (struct test_source){.alignment = PAGE};
	chunks = (struct chunks){
		.source.allocator = *test_source_init(&source),
		.page_size = PAGE,
		.os_page_size = PAGE,
		.chunk_size = pages * PAGE,
	};
	chunks_init(&chunks);
	for (size_t i = 0; i < count; i++) {
		struct chunk *seen = load_acquire(&chunks.fresh);
		struct batch batch;
		struct run rest;

		ck_assert_int_eq(chunks_grow(&chunks, seen, &rest), 0);
		ck_assert(chunks_carve(&chunks, 0,
			pages - (i == count - 1 ? left : 0), &seen, &batch));
		carved[i] = (char *)batch.first;
	}
}

static void
teardown(void)
{
	chunks_release(&chunks);
	ck_assert_uint_eq(source.live, 0);
}

static char *
page(size_t chunk, size_t i)
{
	return carved[chunk] + i * PAGE;
}

/* Put pages of a chunk, first to end, as an extent. */
static void
put(size_t chunk, size_t first, size_t end)
{
	struct batch batch = {
		.first = (struct block *)page(chunk, first),
		.count = end - first,
	};

	store_put(&chunks, 0, &batch);
	ck_assert_uint_eq(batch.count, 0);
}

static void
put_clean(size_t chunk, size_t first, size_t end)
{
	store_put_run(&chunks, &(struct run){
		.first = page(chunk, first),
		.pages = end - first,
		.clean = end - first,
	});
}

static void
assert_run(const struct run *run, size_t chunk, size_t first, size_t end)
{
	ck_assert_ptr_eq(run->first, page(chunk, first));
	ck_assert_uint_eq(run->pages, end - first);
}

/* ---- runs ---- */

START_TEST(pages_put_one_by_one_come_out_as_one_run)
{
	static const size_t order[] = {3, 7, 4, 6, 5};
	struct run run;

	setup(1, PAGES, 0);
	for (size_t i = 0; i < 5; i++)
		put(0, order[i], order[i] + 1);
	ck_assert_uint_eq(store_pages(&chunks), 5);
	ck_assert(store_take_run(&chunks, true, &run));
	assert_run(&run, 0, 3, 8);
	ck_assert(!store_take_run(&chunks, true, &run));
	ck_assert_uint_eq(store_pages(&chunks), 0);
	teardown();
}
END_TEST

START_TEST(a_chain_is_sorted_as_an_extent_is)
{
	struct block *last;
	struct batch batch;
	struct run run;

	setup(1, PAGES, 0);
	/* Blocks of two pages: 6, 2, 4. */
	last = (struct block *)page(0, 4);
	((struct block *)page(0, 6))->next = (struct block *)page(0, 2);
	((struct block *)page(0, 2))->next = last;
	batch = (struct batch){.first = (struct block *)page(0, 6),
		.count = 3, .linked = true};
	store_put(&chunks, 1, &batch);
	ck_assert_uint_eq(batch.count, 0);
	ck_assert(store_take_run(&chunks, true, &run));
	assert_run(&run, 0, 2, 8);
	teardown();
}
END_TEST

/* Chunks may lie side by side, but each goes back alone. */
START_TEST(no_run_reaches_into_another_chunk)
{
	size_t pages = 0;
	struct run run;

	setup(8, PAGES, 0);
	for (size_t i = 0; i < 8; i++)
		put(i, 0, PAGES);
	for (size_t i = 0; i < 8; i++) {
		ck_assert(store_take_run(&chunks, true, &run));
		ck_assert_uint_eq(run.pages, PAGES);
		pages += run.pages;
	}
	ck_assert(!store_take_run(&chunks, true, &run));
	ck_assert_uint_eq(pages, 8 * PAGES);
	teardown();
}
END_TEST

/* ---- blocks ---- */

START_TEST(blocks_come_from_where_they_fit)
{
	struct batch batch;

	setup(1, PAGES, 0);
	put(0, 0, 1);
	put(0, 2, 5);
	put(0, 6, 13);
	ck_assert(!store_take(&chunks, 3, 1, &batch));
	ck_assert(store_take(&chunks, 2, 64, &batch));
	ck_assert_ptr_eq(batch.first, page(0, 8));
	ck_assert_uint_eq(batch.count, 1);
	ck_assert(!batch.linked);
	ck_assert(store_take(&chunks, 1, 64, &batch));
	ck_assert_ptr_eq(batch.first, page(0, 2));
	ck_assert_uint_eq(batch.count, 1);
	ck_assert_uint_eq(store_pages(&chunks), 11 - 4 - 2);
	teardown();
}
END_TEST

START_TEST(where_none_begins_at_a_multiple_of_its_size_another_does)
{
	struct batch batch;

	setup(1, PAGES, 0);
	put(0, 5, 11);
	ck_assert(store_take(&chunks, 2, 64, &batch));
	ck_assert_ptr_eq(batch.first, page(0, 5));
	ck_assert_uint_eq(batch.count, 1);
	teardown();
}
END_TEST

START_TEST(no_more_blocks_are_taken_than_were_asked_for)
{
	struct batch batch;

	setup(1, PAGES, 0);
	put(0, 0, PAGES);
	ck_assert(store_take(&chunks, 1, 3, &batch));
	ck_assert_uint_eq(batch.count, 3);
	ck_assert_uint_eq(store_pages(&chunks), PAGES - 6);
	ck_assert(store_take(&chunks, 0, 64, &batch));
	ck_assert_ptr_eq(batch.first, page(0, 6));
	ck_assert_uint_eq(batch.count, PAGES - 6);
	ck_assert(!store_take(&chunks, 0, 64, &batch));
	teardown();
}
END_TEST

START_TEST(one_look_finds_a_page_wherever_it_is)
{
	static const size_t places[] = {150, 0, 100, 199, 130, 10};
	struct batch batch;

	setup(200, 4, 0);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		put(places[i], 1, 2);
		ck_assert(store_take(&chunks, 0, 1, &batch));
		ck_assert_ptr_eq(batch.first, page(places[i], 1));
	}
	teardown();
}
END_TEST

/* One look sees a few chunks only, and the next one goes on from there. */
START_TEST(looks_that_find_nothing_come_to_every_chunk)
{
	struct batch batch;
	int looks = 0;

	setup(200, 4, 0);
	for (size_t i = 0; i < 200; i++)
		put(i, 1, i == 150 ? 3 : 2);
	while (!store_take(&chunks, 1, 1, &batch))
		ck_assert_int_lt(++looks, 5);
	ck_assert_ptr_eq(batch.first, page(150, 1));
	teardown();
}
END_TEST

/* 40 chunks are searched in vain for eight pages, then one has them; the other
 * 63 are searched for four. */
START_TEST(where_a_larger_block_is_not_a_smaller_one_may_be)
{
	struct batch batch;
	int looks = 0;

	setup(40 + 64, PAGES, 0);
	for (size_t i = 0; i < 40 + 64; i++)
		put(i, 0, i < 40 ? 4 : i == 40 ? 9 : 1);
	ck_assert(store_take(&chunks, 3, 1, &batch));
	ck_assert_ptr_eq(batch.first, page(40, 0));
	while (!store_take(&chunks, 2, 1, &batch))
		ck_assert_int_lt(++looks, 3);
	teardown();
}
END_TEST

/* ---- whole chunks ---- */

/* Take one of which so many pages are stored, and give it back. */
static char *
take_chunk(size_t pages)
{
	size_t stored = 0, clean = 0;
	struct chunk *chunk = store_take_chunk(&chunks, &stored, &clean);
	char *first;

	ck_assert_ptr_nonnull(chunk);
	ck_assert_uint_eq(stored, pages);
	first = chunk->pages;
	chunks_give(&chunks, chunk);
	return first;
}

START_TEST(a_chunk_is_whole_when_its_last_page_is_in)
{
	size_t stored, clean;

	setup(2, PAGES, 0);
	put(0, 1, PAGES);
	put(1, 0, PAGES - 1);
	ck_assert_ptr_null(store_take_chunk(&chunks, &stored, &clean));
	put(0, 0, 1);
	ck_assert_ptr_eq(take_chunk(PAGES), page(0, 0));
	ck_assert_uint_eq(store_pages(&chunks), PAGES - 1);
	ck_assert_uint_eq(source.live, 1);
	ck_assert_ptr_null(store_take_chunk(&chunks, &stored, &clean));
	teardown();
}
END_TEST

START_TEST(a_chunk_that_lost_a_page_since_is_not_whole)
{
	struct batch batch;
	size_t stored, clean;

	setup(1, PAGES, 0);
	put(0, 0, PAGES);
	ck_assert(store_take(&chunks, 0, 1, &batch));
	ck_assert_ptr_null(store_take_chunk(&chunks, &stored, &clean));
	store_put(&chunks, 0, &batch);
	take_chunk(PAGES);
	teardown();
}
END_TEST

/* The carver wins, or who takes the chunk; not both. */
START_TEST(a_chunk_that_is_carved_on_is_not_whole)
{
	struct chunk *seen;
	struct batch batch;
	size_t stored, clean;

	setup(1, PAGES, 6);
	put(0, 0, PAGES - 6);
	ck_assert(chunks_carve(&chunks, 0, 1, &seen, &batch));
	ck_assert_ptr_null(store_take_chunk(&chunks, &stored, &clean));
	store_put(&chunks, 0, &batch);
	take_chunk(PAGES - 5);
	ck_assert(!chunks_carve(&chunks, 0, 1, &seen, &batch));
	ck_assert_ptr_null(seen);
	teardown();
}
END_TEST

/* ---- clean pages ---- */

START_TEST(a_run_is_clean_when_all_of_it_is)
{
	struct run run;

	setup(1, PAGES, 0);
	put_clean(0, 0, 4);
	put_clean(0, 8, 10);
	put(0, 10, 11);
	ck_assert(store_take_run(&chunks, true, &run));
	assert_run(&run, 0, 0, 4);
	ck_assert(run_is_clean(&run));
	ck_assert(store_take_run(&chunks, true, &run));
	assert_run(&run, 0, 8, 11);
	ck_assert(!run_is_clean(&run));
	ck_assert_uint_eq(run.clean, 2);
	teardown();
}
END_TEST

START_TEST(what_was_touched_is_dirty_again)
{
	struct batch batch;
	struct run run;

	setup(1, PAGES, 0);
	put_clean(0, 0, 4);
	ck_assert(!store_take_dirty(&chunks, NULL, PAGES, &run));
	ck_assert(store_take(&chunks, 0, 4, &batch));
	store_put(&chunks, 0, &batch);
	ck_assert(store_take_dirty(&chunks, NULL, PAGES, &run));
	assert_run(&run, 0, 0, 4);
	ck_assert_uint_eq(run.clean, 0);
	teardown();
}
END_TEST

START_TEST(dirty_runs_are_found_from_an_address_on)
{
	struct run run;

	setup(1, PAGES, 0);
	put(0, 1, 4);
	put_clean(0, 4, 6);
	put(0, 6, 8);
	put(0, 10, 16);
	ck_assert(store_take_dirty(&chunks, NULL, PAGES, &run));
	assert_run(&run, 0, 1, 4);
	ck_assert(store_take_dirty(&chunks, page(0, 7), PAGES, &run));
	assert_run(&run, 0, 7, 8);
	ck_assert(store_take_dirty(&chunks, page(0, 8), 2, &run));
	assert_run(&run, 0, 10, 12);
	ck_assert(!store_take_dirty(&chunks, page(0, 16), PAGES, &run));
	ck_assert(store_take_dirty(&chunks, NULL, PAGES, &run));
	assert_run(&run, 0, 6, 7);
	teardown();
}
END_TEST

START_TEST(a_run_need_not_be_mixed)
{
	struct run run;

	setup(1, PAGES, 0);
	put(0, 2, 4);
	put_clean(0, 4, 9);
	put(0, 9, 10);
	ck_assert(store_take_run(&chunks, false, &run));
	assert_run(&run, 0, 2, 4);
	ck_assert(store_take_run(&chunks, false, &run));
	assert_run(&run, 0, 4, 9);
	ck_assert(run_is_clean(&run));
	ck_assert(store_take_run(&chunks, false, &run));
	assert_run(&run, 0, 9, 10);
	teardown();
}
END_TEST

START_TEST(a_chunk_says_how_much_of_it_was_clean)
{
	size_t stored, clean;
	struct chunk *chunk;

	setup(1, PAGES, 3);
	put_clean(0, 0, 5);
	put(0, 5, PAGES - 3);
	ck_assert_uint_eq(load_relaxed(&chunks.clean), 5);
	chunk = store_take_chunk(&chunks, &stored, &clean);
	ck_assert_ptr_nonnull(chunk);
	ck_assert_uint_eq(stored, PAGES - 3);
	ck_assert_uint_eq(clean, 5);
	ck_assert_uint_eq(load_relaxed(&chunks.clean), 0);
	chunks_give(&chunks, chunk);
	teardown();
}
END_TEST

/* Wherever it is: a look that has seen all but one has not seen all. */
START_TEST(looks_come_to_the_last_chunk_too)
{
	enum { CHUNKS = 65 }; /* one more than a look sees */

	for (size_t fit = 0; fit < CHUNKS; fit++) {
		struct batch batch;
		int looks = 0;

		setup(CHUNKS, 4, 0);
		for (size_t i = 0; i < CHUNKS; i++)
			put(i, 1, i == fit ? 3 : 2);
		while (!store_take(&chunks, 1, 1, &batch))
			ck_assert_int_lt(++looks, 2);
		ck_assert_ptr_eq(batch.first, page(fit, 1));
		teardown();
	}
}
END_TEST

/* ---- without memory ---- */

START_TEST(without_memory_for_the_table_nothing_is_lost)
{
	struct batch batch;
	struct run run;

	setup(3, PAGES, 0);
	batch = (struct batch){.first = (struct block *)page(1, 0),
		.count = PAGES};
	no_malloc = true; /* Check has none either */
	store_put(&chunks, 0, &batch);
	no_malloc = false;
	ck_assert_uint_eq(batch.count, PAGES);
	ck_assert_ptr_eq(batch.first, page(1, 0));
	ck_assert_uint_eq(store_pages(&chunks), 0);
	store_put(&chunks, 0, &batch);
	ck_assert_uint_eq(batch.count, 0);
	put(0, 0, PAGES);
	put(2, 0, PAGES);
	for (int i = 0; i < 3; i++)
		ck_assert(store_take_run(&chunks, true, &run) && run.pages == PAGES);
	teardown();
}
END_TEST

/* ---- at random, against a model ---- */

enum { CHUNKS = 10, MODEL_PAGES = 70 };

/* Who has a page: the test, or the store. */
static bool model_stored[CHUNKS][MODEL_PAGES];
static bool model_clean[CHUNKS][MODEL_PAGES];
static uint64_t state;

static size_t
below(size_t limit)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (size_t)(state >> 33) % limit;
}

static void
model_set(size_t chunk, size_t first, size_t pages, bool stored, bool clean)
{
	for (size_t i = first; i < first + pages; i++) {
		if (model_stored[chunk][i] == stored)
			ck_abort_msg("page %zu of chunk %zu is %s twice", i,
				chunk, stored ? "put" : "taken");
		model_stored[chunk][i] = stored;
		model_clean[chunk][i] = clean;
	}
}

/* The model's chunk and page of an address. */
static size_t
find_chunk(const char *address, size_t *first)
{
	for (size_t i = 0; i < CHUNKS; i++)
		if (address >= carved[i] &&
			address < carved[i] + MODEL_PAGES * PAGE) {
			*first = (size_t)(address - carved[i]) / PAGE;
			return i;
		}
	ck_abort_msg("%p is in no chunk", (const void *)address);
	return 0;
}

static void
put_at_random(void)
{
	size_t chunk = below(CHUNKS), first = below(MODEL_PAGES), end = first;
	size_t most = 1 + below(20);
	bool clean = below(3) == 0;

	while (end < MODEL_PAGES && end - first < most &&
		!model_stored[chunk][end])
		end++;
	if (end == first)
		return;
	model_set(chunk, first, end - first, true, clean);
	if (clean)
		put_clean(chunk, first, end);
	else
		put(chunk, first, end);
}

static bool
model_has(size_t run)
{
	for (size_t chunk = 0; chunk < CHUNKS; chunk++) {
		size_t length = 0;

		for (size_t i = 0; i < MODEL_PAGES && length < run; i++)
			length = model_stored[chunk][i] ? length + 1 : 0;
		if (length == run)
			return true;
	}
	return false;
}

/* There are fewer chunks than one look sees. */
static void
take_blocks_at_random(void)
{
	unsigned order = (unsigned)below(4);
	size_t most = 1 + below(8), first, chunk;
	struct batch batch;

	if (!store_take(&chunks, order, most, &batch)) {
		ck_assert(!model_has((size_t)1 << order));
		return;
	}
	ck_assert_uint_ge(batch.count, 1);
	ck_assert_uint_le(batch.count, most);
	chunk = find_chunk((const char *)batch.first, &first);
	model_set(chunk, first, batch.count << order, false, false);
}

static void
take_run_at_random(void)
{
	bool dirty_only = below(2), mixed = below(2);
	size_t first, chunk, clean = 0;
	struct run run;

	if (dirty_only ? !store_take_dirty(&chunks, page(below(CHUNKS), 0), 9,
			&run) : !store_take_run(&chunks, mixed, &run))
		return;
	chunk = find_chunk(run.first, &first);
	for (size_t i = first; i < first + run.pages; i++)
		clean += model_clean[chunk][i];
	ck_assert_uint_eq(run.clean, clean);
	ck_assert(!dirty_only || !clean);
	ck_assert(dirty_only || mixed || !clean || clean == run.pages);
	model_set(chunk, first, run.pages, false, false);
}

static size_t
count_model(bool set[CHUNKS][MODEL_PAGES])
{
	size_t pages = 0;

	for (size_t chunk = 0; chunk < CHUNKS; chunk++)
		for (size_t i = 0; i < MODEL_PAGES; i++)
			pages += set[chunk][i];
	return pages;
}

START_TEST(at_random_no_page_is_lost_or_there_twice)
{
	struct timespec now;
	struct run run;

	clock_gettime(CLOCK_REALTIME, &now);
	state = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	if (getenv("STORE_SEED"))
		state = strtoull(getenv("STORE_SEED"), NULL, 10);
	printf("store_test: STORE_SEED=%" PRIu64 "\n", state);
	setup(CHUNKS, MODEL_PAGES, 0);
	for (int i = 0; i < 20000; i++) {
		switch (below(3)) {
		case 0: put_at_random(); break;
		case 1: take_blocks_at_random(); break;
		default:
			if (below(4) == 0)
				take_run_at_random();
		}
		ck_assert_uint_eq(store_pages(&chunks),
			count_model(model_stored));
		ck_assert_uint_eq(load_relaxed(&chunks.clean),
			count_model(model_clean));
	}
	while (store_take_run(&chunks, true, &run)) {
		size_t first, chunk = find_chunk(run.first, &first);

		model_set(chunk, first, run.pages, false, false);
	}
	ck_assert_uint_eq(count_model(model_stored), 0);
	teardown();
}
END_TEST

SUITE("store", pages_put_one_by_one_come_out_as_one_run,
	a_chain_is_sorted_as_an_extent_is, no_run_reaches_into_another_chunk,
	blocks_come_from_where_they_fit,
	where_none_begins_at_a_multiple_of_its_size_another_does,
	no_more_blocks_are_taken_than_were_asked_for,
	one_look_finds_a_page_wherever_it_is,
	looks_that_find_nothing_come_to_every_chunk,
	where_a_larger_block_is_not_a_smaller_one_may_be,
	a_chunk_is_whole_when_its_last_page_is_in,
	a_chunk_that_lost_a_page_since_is_not_whole,
	a_chunk_that_is_carved_on_is_not_whole,
	a_run_is_clean_when_all_of_it_is, what_was_touched_is_dirty_again,
	dirty_runs_are_found_from_an_address_on, a_run_need_not_be_mixed,
	a_chunk_says_how_much_of_it_was_clean,
	looks_come_to_the_last_chunk_too,
	without_memory_for_the_table_nothing_is_lost,
	at_random_no_page_is_lost_or_there_twice)
