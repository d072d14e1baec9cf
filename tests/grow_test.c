/* SPDX-License-Identifier: MIT */
/* grow_test.c - regions grow by what they have been good for, say exactly
 * what they hold, and go back whole without a look at their pages. */
#include "lib/region.h"

#include <signal.h>
#include <sys/mman.h>

#include "tests/fixture.h"
#include "tests/source.h"

/* ---- how large ---- */

/* Page, chunk, and the largest block that a region may grow by. */
static const size_t shapes[][3] = {
	{PAGE, MIB, 128 * KIB},
	{PAGE, PAGE, PAGE},
	{PAGE, 4 * PAGE, 2 * PAGE},
	{PAGE, 9 * PAGE, 4 * PAGE},
	{4 * PAGE, 4 * MIB, 128 * KIB},
	{16 * PAGE, 4 * MIB, 32 * PAGE},
};

/* The largest power of two pages that is at most an eighth of held, and of the
 * largest, where regions do not open with it, a sixth. */
static size_t
expected_block(const size_t shape[3], size_t held)
{
	size_t block = shape[0];

	while (2 * block <= shape[2] && 2 * block <= held /
			(2 * block == shape[2] && block >= 32 * KIB ? 6 : 8))
		block *= 2;
	return block;
}

START_TEST(the_next_block_is_a_page_or_an_eighth_of_what_a_region_holds)
{
	for (size_t i = 0; i < COUNT(shapes); i++) {
		size_t held;

		setup_with((acre_pool_options){
			.page_size = shapes[i][0],
			.chunk_size = shapes[i][1]});
		for (int round = 0; round < 2; round++) {
			held = acre_region_held(region);
			ck_assert_uint_eq(held, shapes[i][0]);
			while (held < 5 * MIB / 2) {
				filled(region, 1000, 1);
				if (acre_region_held(region) == held)
					continue;
				held += expected_block(shapes[i], held);
				ck_assert_uint_eq(acre_region_held(region),
					held);
				assert_held(held);
			}
			/* After a reset it begins as it began. */
			acre_region_reset(region);
		}
		teardown();
	}
}
END_TEST

START_TEST(an_object_gets_a_block_that_holds_it)
{
	/* The object, and the block. */
	static const size_t rows[][2] = {
		{PAGE - BLOCK_HEADER, PAGE},
		{PAGE - BLOCK_HEADER + 1, 2 * PAGE},
		{5000, 2 * PAGE},
		{2 * PAGE - BLOCK_HEADER, 2 * PAGE},
		{2 * PAGE - BLOCK_HEADER + 1, 4 * PAGE},
		{2 * PAGE, 4 * PAGE},
	};

	setup();
	for (size_t i = 0; i < COUNT(rows); i++) {
		filled(region, rows[i][0], 1);
		ck_assert_uint_eq(acre_region_held(region),
			PAGE + rows[i][1]);
		assert_held(PAGE + rows[i][1]);
		acre_region_reset(region);
		ck_assert_uint_eq(acre_region_held(region), PAGE);
	}
	teardown();
}
END_TEST

START_TEST(a_buffer_grows_by_a_page_first)
{
	static char buffer[100000];

	setup();
	acre_region_close(region);
	region = open_with((acre_region_options){
		.buffer = buffer, .buffer_size = sizeof(buffer)});
	fill_block(region);
	ck_assert_uint_eq(acre_region_held(region), 0);
	filled(region, 1, 1);
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	teardown();
}
END_TEST

/* ---- limits ---- */

START_TEST(a_region_grows_to_its_limit_and_no_further)
{
	static const size_t limits[] = {
		PAGE, PAGE + 1, 2 * PAGE, 5 * PAGE, 13 * PAGE + 4095,
		100 * PAGE, 101 * PAGE,
	};

	for (size_t i = 0; i < COUNT(limits); i++) {
		size_t most = limits[i];

		setup();
		acre_region_close(region);
		region = open_with((acre_region_options){.max_bytes = most});
		errno = 0;
		while (acre_alloc(region, 500))
			ck_assert_uint_le(acre_region_held(region), most);
		ck_assert_int_eq(errno, ENOMEM);
		/* Smaller blocks have filled what larger ones left. */
		ck_assert_uint_eq(acre_region_held(region),
			most & ~(PAGE - 1));
		ck_assert(acre_region_failed(region));
		/* The limit is there after a reset, and room is. */
		acre_region_reset(region);
		ck_assert(!acre_region_failed(region));
		while (acre_alloc(region, 500))
			;
		ck_assert_uint_eq(acre_region_held(region),
			most & ~(PAGE - 1));
		teardown();
	}
}
END_TEST

static int handler_calls;
static size_t handler_size;

static int
count_call(acre_pool *which, size_t size, void *userdata)
{
	(void)which;
	(void)userdata;
	handler_calls++;
	handler_size = size;
	return 0;
}

/* Every page of the pool, though larger blocks are not to be had; and the
 * handler is asked for what is needed, when nothing else is left. */
START_TEST(a_region_grows_to_the_pools_last_page)
{
	static struct test_source source = {.alignment = PAGE};

	handler_calls = 0;
	setup_with((acre_pool_options){.source = test_source_init(&source),
		.chunk_size = 61 * PAGE, .max_bytes = 61 * PAGE,
		.on_limit = count_call});
	while (acre_region_held(region) < 61 * PAGE) {
		ck_assert_ptr_nonnull(acre_alloc(region, 500));
		ck_assert_int_eq(handler_calls, 0);
	}
	while (acre_alloc(region, 500))
		;
	ck_assert_uint_eq(acre_region_held(region), 61 * PAGE);
	ck_assert_int_eq(handler_calls, 1);
	ck_assert_uint_eq(handler_size, PAGE);
	teardown();
}
END_TEST

START_TEST(a_failing_source_leaves_the_region_as_it_was)
{
	static struct test_source source = {.alignment = PAGE};
	size_t used;

	setup_with((acre_pool_options){.source = test_source_init(&source),
		.chunk_size = 8 * PAGE});
	source.fail_at = 1;
	while (acre_region_held(region) < 8 * PAGE) {
		fill_block(region);
		filled(region, 500, 1);
	}
	fill_block(region);
	used = acre_region_used(region);
	for (size_t size = 0; size < 10000; size += 999) {
		errno = 0;
		ck_assert_ptr_null(acre_alloc(region, size));
		ck_assert_int_eq(errno, ENOMEM);
	}
	ck_assert_uint_eq(acre_region_used(region), used);
	assert_held(8 * PAGE);
	source.fail_at = 0;
	ck_assert_ptr_nonnull(acre_alloc(region, 0));
	teardown();
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

/* ---- back whole ---- */

/* Regions of every length around the batches' sizes come back: a pool with
 * no byte to spare serves the same again, and no block twice. */
START_TEST(no_block_is_lost_and_none_is_there_twice)
{
	static const size_t cache_bytes[] = {1, 4 * PAGE, 16 * PAGE, 0};
	enum { OBJECTS = 400 };
	static unsigned char *objects[OBJECTS];
	static struct test_source source = {.alignment = PAGE};

	for (size_t i = 0; i < COUNT(cache_bytes); i++) {
		setup_with((acre_pool_options){
			.source = test_source_init(&source),
			.cache_bytes = cache_bytes[i],
			.chunk_size = 500 * PAGE, .max_bytes = 500 * PAGE});
		for (int n = 1; n < OBJECTS; n += n < 80 ? 1 : 9) {
			for (int j = 0; j < n; j++)
				objects[j] = filled(region, 4000, j);
			for (int j = 0; j < n; j++)
				assert_filled(objects[j], 4000, j);
			assert_held(acre_region_held(region));
			acre_region_close(region);
			assert_held(0);
			region = acre_region_open(pool);
		}
		/* All of it, to the last page. */
		for (int round = 0; round < 3; round++) {
			while (acre_alloc(region, 4000))
				;
			ck_assert_uint_eq(acre_region_held(region),
				500 * PAGE);
			acre_region_reset(region);
			assert_held(acre_region_held(region));
		}
		teardown();
		ck_assert_uint_eq(source.live, 0);
	}
}
END_TEST

/* Long chains are cut into batches again: a second thread takes them. */
static void *
take_everything(void *unused)
{
	enum { OBJECTS = 5000 };
	unsigned char **objects = malloc(OBJECTS * sizeof(*objects));
	acre_region *mine = acre_region_open(pool);
	int n = 0;

	(void)unused;
	while (n < OBJECTS && (objects[n] = acre_alloc(mine, 4000))) {
		memset(objects[n], n, 4000);
		n++;
	}
	for (int i = 0; i < n; i++)
		assert_filled(objects[i], 4000, i);
	ck_assert_uint_ge(acre_region_held(mine), 900 * PAGE);
	acre_region_close(mine);
	free(objects);
	return NULL;
}

START_TEST(another_thread_gets_what_a_long_region_had)
{
	static struct test_source source = {.alignment = PAGE};

	for (size_t pages = 1; pages <= 1024; pages *= 2) {
		setup_with((acre_pool_options){
			.source = test_source_init(&source),
			.cache_bytes = 32 * PAGE,
			.chunk_size = 1024 * PAGE, .max_bytes = 1024 * PAGE});
		for (int round = 0; round < 3; round++) {
			while (acre_region_held(region) < pages * PAGE)
				acre_alloc(region, 4000);
			acre_region_close(region);
			on_thread(take_everything, NULL);
			region = acre_region_open(pool);
		}
		teardown();
	}
}
END_TEST

/* To the thread's cache, where the next growth finds them. */
START_TEST(growth_in_steady_state_does_not_visit_the_pool)
{
	acre_stats warm;
	acre_mark mark;

	setup();
	mark = acre_region_mark(region);
	for (int round = 0; round < 300; round++) {
		for (int i = 0; i < 30; i++)
			filled(region, 3000, i);
		if (round % 2)
			acre_region_reset(region);
		else
			acre_region_rewind(region, mark);
		if (round == 10)
			warm = stats_of(pool);
		if (round % 2)
			mark = acre_region_mark(region);
	}
	ck_assert_uint_eq(stats_of(pool).cache_misses, warm.cache_misses);
	ck_assert_uint_eq(stats_of(pool).cache_flushes, warm.cache_flushes);
	ck_assert_uint_eq(stats_of(pool).overflow_pushes, 0);
	teardown();
}
END_TEST

/* The same for those that close; every other one is small, so that none opens
 * with what it needs. */
START_TEST(regions_in_steady_state_do_not_visit_the_pool)
{
	acre_stats warm;

	setup();
	for (int i = 0; i < 2000; i++) {
		acre_region *request = acre_region_open(pool);

		for (int j = 0; j < i % 2 * 30; j++)
			filled(request, 3000, j);
		acre_region_close(request);
		if (i == 100)
			warm = stats_of(pool);
	}
	ck_assert_uint_eq(stats_of(pool).cache_misses, warm.cache_misses);
	ck_assert_uint_eq(stats_of(pool).cache_flushes, warm.cache_flushes);
	ck_assert_uint_eq(stats_of(pool).overflow_pushes, 0);
	teardown();
}
END_TEST

/* Also regions of a megabyte, give or take some, without a large object and
 * with one. */
START_TEST(large_regions_in_steady_state_do_not_visit_the_pool)
{
	for (size_t large = 0; large <= 80 * KIB; large += 40 * KIB) {
		acre_stats warm = {0};

		setup();
		for (int i = 0; i < 2000; i++) {
			acre_region *request = acre_region_open(pool);
			int n = 300 + i * 7 % 20;

			for (int j = 0; j < n; j++)
				filled(request, 3000, j);
			if (large)
				filled(request, large, i);
			acre_region_close(request);
			if (i == 1000)
				warm = stats_of(pool);
		}
		ck_assert_uint_eq(stats_of(pool).cache_misses,
			warm.cache_misses);
		ck_assert_uint_eq(stats_of(pool).cache_flushes,
			warm.cache_flushes);
		ck_assert_uint_eq(stats_of(pool).chunks, warm.chunks);
		teardown();
	}
}
END_TEST

/* Whatever chains come together, current and spare, of whichever orders: regions of 1 KiB to 2 MiB, some with a large object, some of them
 * open at a time. */
START_TEST(a_cache_keeps_no_more_than_its_bound)
{
	const size_t bounds[][2] = {{PAGE, 0}, {PAGE, 64 * PAGE},
		{PAGE, 200 * PAGE}, {PAGE, 256 * PAGE}, {PAGE, 4096 * PAGE},
		{64 * KIB, MIB}, {64 * KIB, 3 * MIB}, {128 * KIB, 2 * MIB}};
	uint64_t random = 1;

	for (size_t i = 0; i < COUNT(bounds); i++) {
		acre_region *open[3] = {NULL};
		acre_stats s;

		setup_with((acre_pool_options){.page_size = bounds[i][0],
			.cache_bytes = bounds[i][1]});
		for (int n = 0; n < 3000; n++) {
			acre_region **at = &open[n % 3];
			size_t bytes;

			random = random * 6364136223846793005 + 1;
			/* For a while all are large, so that this is
			 * learned. */
			bytes = n % 1000 < 600 ? MIB + (random >> 44) :
				KIB << (random >> 33) % 12;
			acre_region_close(*at);
			s = stats_of(pool);
			ck_assert_uint_le(s.cache_bytes, pool->cache_bytes);
			*at = acre_region_open(pool);
			while (acre_region_held(*at) < bytes)
				filled(*at, 3000, n);
			if (random >> 63)
				filled(*at, 16 * KIB << (random >> 60) % 4, n);
			s = stats_of(pool);
			ck_assert_uint_le(s.cache_bytes, pool->cache_bytes);
		}
		for (size_t k = 0; k < COUNT(open); k++)
			acre_region_close(open[k]);
		teardown();
	}
}
END_TEST

/* A region of many pages is used again with a few visits: each takes twice as
 * much, until it is a full batch of the largest blocks, a megabyte. */
START_TEST(a_huge_region_visits_the_pool_seldom)
{
	acre_stats before;

	setup();
	for (int round = 0; round < 3; round++) {
		before = stats_of(pool);
		while (acre_region_held(region) < 60 * MIB)
			filled(region, 3000, round);
		if (round == 2)
			ck_assert_uint_le(stats_of(pool).cache_misses,
				before.cache_misses + 60 + 20);
		acre_region_close(region);
		region = acre_region_open(pool);
		ck_assert_uint_le(stats_of(pool).cache_bytes,
			pool->cache_bytes);
	}
	teardown();
}
END_TEST

/* ---- close is O(1) in the pages ---- */

#define CHUNK (8 * MIB)
static char *mapped[64];
static atomic_int faults;

static void *
map_chunk(void *userdata, size_t size)
{
	int *count = userdata;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED || *count == COUNT(mapped))
		return NULL;
	return mapped[(*count)++] = p;
}

static void
unmap_chunk(void *userdata, void *p)
{
	(void)userdata;
	munmap(p, CHUNK);
}

/* Count a page that is touched, and let it pass. */
static void
on_fault(int number, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE - 1));

	(void)context;
	faults++;
	if (faults > 100000 || mprotect(page, PAGE, PROT_READ | PROT_WRITE))
		signal(number, SIG_DFL);
}

static void
protect(int count, int how)
{
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(mprotect(mapped[i], CHUNK, how), 0);
}

/* How many pages the close of a region of so many pages touches. */
static int
pages_touched(size_t pages)
{
	struct sigaction action = {
		.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO,
	}, before;
	int count = 0;
	const acre_allocator maps = {
		.allocate = map_chunk, .free = unmap_chunk, .userdata = &count,
	};

	setup_with((acre_pool_options){.source = &maps, .chunk_size = CHUNK});
	while (acre_region_held(region) < pages * PAGE)
		ck_assert_ptr_nonnull(acre_alloc(region, 4000));
	faults = 0;
	sigaction(SIGSEGV, &action, &before);
	protect(count, PROT_NONE);
	acre_region_close(region);
	protect(count, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &before, NULL);
	assert_held(0);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
	return faults;
}

START_TEST(close_of_100_000_pages_touches_no_more_than_that_of_100)
{
	int few = pages_touched(100), many = pages_touched(100000);

	ck_assert_msg(many <= few && many < 12, "%d of 100, %d of 100,000",
		few, many);
}
END_TEST

SUITE("grow",
	the_next_block_is_a_page_or_an_eighth_of_what_a_region_holds,
	an_object_gets_a_block_that_holds_it, a_buffer_grows_by_a_page_first,
	a_region_grows_to_its_limit_and_no_further,
	a_region_grows_to_the_pools_last_page,
	a_failing_source_leaves_the_region_as_it_was,
	no_block_is_lost_and_none_is_there_twice,
	another_thread_gets_what_a_long_region_had,
	growth_in_steady_state_does_not_visit_the_pool,
	regions_in_steady_state_do_not_visit_the_pool,
	large_regions_in_steady_state_do_not_visit_the_pool,
	a_cache_keeps_no_more_than_its_bound,
	a_huge_region_visits_the_pool_seldom,
	close_of_100_000_pages_touches_no_more_than_that_of_100)
