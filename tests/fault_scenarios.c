/* SPDX-License-Identifier: MIT */
/*
 * fault_scenarios.c - sequences that together make every call of the API.
 *
 * Each is played on a thread of its own. What it leaves is closed for it; a
 * call that fails is made again, or ends the scenario (fault_model.h).
 */
#include "tests/fault_scenarios.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

#include "tests/fault.h"
#include "tests/fault_parts.h"

static void
opens_and_closes(void)
{
	acre_pool *pool = make_pool((acre_pool_options){0});

	close_region(open_in(pool));
	acre_thread_flush(pool);
	check_model();
	close_region(open_in(pool));
}

static void
grows(void)
{
	acre_region *region = open_in(make_small_pool());

	fill(region, 60);
	acre_region_reset(region);
	drop_objects(region);
	check_model();
	fill(region, 60);
}

static void
has_large_objects_over(const acre_allocator *source)
{
	acre_pool *pool = make_pool((acre_pool_options){.source = source,
		.chunk_size = 16 * PAGE});
	acre_region *region = open_in(pool);
	void *block = object_in(region, 5 * PAGE);
	void *own = object_in(region, 20 * PAGE);
	block = resize(block, 5 * PAGE, 7 * PAGE);
	own = resize(own, ACRE_SIZE_UNKNOWN, 40 * PAGE);
	own = resize(own, 40 * PAGE, 30 * PAGE);
	own = resize(own, 30 * PAGE, 2 * PAGE);
	block = resize(block, ACRE_SIZE_UNKNOWN, 60 * PAGE);
	give_back(own);
	object_in(region, 6 * PAGE);
	give_back(block);
}

static void
has_large_objects(void)
{
	has_large_objects_over(NULL);
}

/* A record that has no room where the cursor stands takes a block, too. */
static void
has_records(void)
{
	acre_region *region = open_in(make_pool((acre_pool_options){
		.chunk_size = PAGE}));

	for (int i = 0; i < 8; i++) {
		fill_block(region);
		object_in(region, 2 * PAGE);
	}
}

static void
has_mapped_objects(void)
{
	has_large_objects_over(&acre_mmap_allocator);
}

static void
has_huge_objects(void)
{
	has_large_objects_over(&acre_huge_allocator);
}

static void
has_children_and_cleanups(void)
{
	static _Alignas(16) char buffer[2000];
	static acre_cleanup storage;
	acre_pool *pool = make_small_pool();
	acre_region *parent = open_in(pool);
	acre_region *child = open_with(pool, (acre_region_options){
		.parent = parent, .name = "child"});
	acre_region *in_buffer = open_with(make_small_pool(),
		(acre_region_options){.parent = child, .buffer = buffer,
			.buffer_size = sizeof(buffer)});

	for (int i = 0; i < 200; i++)
		add_cleanup(i % 2 ? parent : child);
	fill(in_buffer, 4);
	add_cleanup(in_buffer);
	acre_cleanup_link(child, &storage, run, &storage);
	model.cleanups++;
	REQUIRE(acre_cleanup_cancel(child, run, &storage) == 0);
	model.cleanups--;
	open_with(pool, (acre_region_options){.parent = child,
		.max_bytes = 2 * PAGE});
	REQUIRE(acre_region_detach(child) == EINVAL);
	check_model();
}

static void
rewinds(void)
{
	acre_region *region = open_in(make_small_pool());
	acre_mark mark = acre_region_mark(region);
	struct before was = before(region);

	for (int i = 0; i < 3; i++) {
		fill(region, 20);
		object_in(region, 6 * PAGE);
		object_in(region, 30 * PAGE);
		add_cleanup(region);
		acre_region_rewind(region, mark);
		drop_objects(region);
		check_model();
		REQUIRE(acre_region_used(region) == was.used);
		REQUIRE(acre_region_held(region) == was.held);
	}
}

struct pair {
	long a, b;
};

static void
has_strings(void)
{
	static char text[3000];
	acre_region *region = open_in(make_small_pool());

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 6; i++) {
		char *p;
		void *q;

		ALLOCATED(region, p = acre_strdup(region, text));
		REQUIRE(!strcmp(p, text));
		ALLOCATED(region, p = acre_strndup(region, text, 2500));
		REQUIRE(strlen(p) == 2500);
		ALLOCATED(region, p = acre_asprintf(region, "%s!", text));
		REQUIRE(strlen(p) == sizeof(text));
		ALLOCATED(region, q = acre_memdup(region, text, 2000));
		REQUIRE(!memcmp(q, text, 2000));
		ALLOCATED(region, q = acre_new(region, struct pair));
		has_object(region, q, sizeof(struct pair));
		ALLOCATED(region, q = acre_new_array(region, struct pair, 99));
		has_object(region, q, 99 * sizeof(struct pair));
		ALLOCATED(region, q = acre_alloc_aligned(region, 99, PAGE));
		REQUIRE((uintptr_t)q % PAGE == 0);
		has_object(region, q, 99);
	}
}

/* As a library would that takes an allocator. */
static void
uses_allocator(acre_region *region, acre_allocator a)
{
	unsigned char *p, *q;

	for (size_t size = 1000; size < 300000; size *= 3) {
		MUST(p = a.allocate(a.userdata, size));
		memset(p, 7, size);
		MUST(q = a.reallocate(a.userdata, p, size, 2 * size));
		REQUIRE(is_all(q, size, 7));
		has_object(region, q, 2 * size);
	}
	a.free(a.userdata, q);
	find_object(q)->region = NULL;
	check_model();
}

static void
is_an_allocator(void)
{
	acre_region *region = open_in(make_small_pool());

	uses_allocator(region, acre_region_allocator(region));
	uses_allocator(region, acre_region_sized_allocator(region));
}

/* Until a barrier the helper is at work, and nothing is at rest. */
static void
retire(acre_region *region)
{
	check_model();
	model.limbo = true;
	MUST_DO(acre_region_retire(region));
	/* What it holds is in limbo, or back, with its cleanups run. */
	drop_region(region);
}

static void
wait_for_limbo(void)
{
	for (int i = 0; i < POOLS; i++)
		if (model.pools[i])
			MUST_DO(acre_pool_barrier(model.pools[i]));
	model.limbo = false;
	check_model();
}

static void
retires(void)
{
	acre_pool *pool = make_pool((acre_pool_options){
		.chunk_size = 16 * PAGE, .limbo_bytes = 10 * PAGE});
	acre_pool *other = make_small_pool();

	for (int i = 0; i < 3; i++) {
		acre_region *region = open_in(pool);

		add_cleanup(region);
		fill(region, 4);
		open_with(other, (acre_region_options){.parent = region});
		retire(region);
		retire(open_in(other));
		wait_for_limbo();
	}
	for (int i = 0; i < 8; i++) {
		acre_region *region = open_in(pool);

		fill(region, 4);
		retire(region);
	}
	wait_for_limbo();
}

/* Creation of the helper is tried again, but not with each request. */
static void
gets_its_helper_in_the_end(void)
{
	acre_pool *pool = make_small_pool();
	acre_stats s;

	retire(open_in(pool));
	fault_never();
	for (int i = 0; i < 600; i++)
		retire(open_in(pool));
	do {
		sched_yield();
		acre_pool_stats(pool, &s);
	} while (s.limbo_bytes);
	model.limbo = false;
	check_model();
}

static acre_pool *shared;
static acre_region *handed;

static void
opens_here(void)
{
	handed = open_in(shared);
	fill(handed, 20);
	object_in(handed, 5 * PAGE);
	REQUIRE(acre_region_detach(handed) == 0);
}

static void
closes_here(void)
{
	close_region(handed);
}

static void
adopts_here(void)
{
	REQUIRE(acre_region_adopt(handed) == 0);
	fill(handed, 20);
}

static void
retires_here(void)
{
	retire(handed);
}

/* Threads end with full caches; one that only closes may have none. */
static void
has_threads(void)
{
	shared = make_small_pool();
	for (int i = 0; i < 2; i++) {
		on_thread(opens_here);
		on_thread(adopts_here);
		on_thread(closes_here);
	}
	on_thread(opens_here);
	on_thread(retires_here);
	wait_for_limbo();
	close_region(open_in(shared));
}

/* Batches go through the lists, and want descriptors. */
static void
hands_on(void)
{
	shared = make_pool((acre_pool_options){.chunk_size = 64 * PAGE,
		.cache_bytes = 2 * PAGE});
	for (int i = 0; i < 4; i++) {
		on_thread(opens_here);
		REQUIRE(acre_region_adopt(handed) == 0);
		fill(handed, 40);
		on_thread(closes_here);
		fill(open_in(shared), 10);
		acre_thread_flush(shared);
	}
}

static void
has_many_pools(void)
{
	acre_pool *pools[20];

	for (int i = 0; i < 20; i++) {
		pools[i] = make_small_pool();
		fill(open_in(pools[i]), 3);
	}
	end_all();
	for (int i = 0; i < 4; i++)
		open_in(make_small_pool());
}

static int
close_handed(acre_pool *pool, size_t size, void *unused)
{
	(void)pool;
	(void)size;
	(void)unused;
	if (!handed)
		return 0;
	close_region(handed);
	handed = NULL;
	return 1;
}

static void
reaches_its_limit(void)
{
	acre_pool *pool = make_pool((acre_pool_options){
		.chunk_size = 16 * PAGE, .max_bytes = 32 * PAGE,
		.on_limit = close_handed});
	acre_region *region, *other;

	handed = NULL;
	region = open_in(pool);
	other = open_in(pool);
	fill(other, 18);
	handed = other;
	fill(region, 20);
	REQUIRE(!handed || fault_count());
	handed = NULL;
}

/* What is cached, and what is not, goes back where nothing can be had. */
static void
is_trimmed(void)
{
	acre_region *region;

	shared = make_small_pool();
	on_thread(opens_here);
	region = open_in(shared);
	fill(region, 40);
	close_region(handed);
	REQUIRE(acre_pool_trim(shared, 0, SIZE_MAX) > 0 || fault_count());
	fill(region, 20);
	close_region(region);
	check_model();
	/* Without memory too; most of it, as records may be gone. */
	acre_pool_trim(shared, 16 * PAGE, SIZE_MAX);
	fill(open_in(shared), 20);
}

/* Until the helper has given all of it back, but a chunk that nobody has carved
 * yet. Where it could not be made, that is tried again, and a new chunk asks
 * for it. */
static void
decays(void)
{
	acre_pool *pool = make_pool((acre_pool_options){
		.chunk_size = 16 * PAGE, .cache_bytes = 8 * PAGE,
		.decay_ms = 1});
	acre_region *region;
	acre_stats s;

	model.limbo = true;
	region = open_in(pool);
	fill(region, 40);
	close_region(region);
	fault_never();
	for (int i = 0; i < 600; i++)
		retire(open_in(pool));
	acre_thread_flush(pool);
	region = open_in(pool);
	fill(region, 80);
	close_region(region);
	do {
		sched_yield();
		acre_pool_stats(pool, &s);
	} while (s.chunk_bytes > s.uncarved_bytes + s.slack_bytes);
}

static acre_budget *
make_budget(acre_budget *parent, size_t limit)
{
	acre_budget *budget;

	MUST(budget = acre_budget_create(parent, limit));
	return has_budget(budget, parent);
}

/* What has failed is not charged. */
static void
has_budgets(void)
{
	acre_budget *listener = make_budget(NULL, SIZE_MAX);
	acre_budget *tenant = make_budget(listener, 4000 * PAGE);
	acre_pool *pool = make_small_pool();
	acre_region *parent = open_with(pool, (acre_region_options){
		.budget = tenant});
	acre_region *child = open_with(make_small_pool(),
		(acre_region_options){.parent = parent, .budget = listener});
	acre_mark mark = acre_region_mark(parent);
	void *own, *block;

	fill(parent, 20);
	block = object_in(child, 5 * PAGE);
	own = object_in(child, 20 * PAGE);
	own = resize(own, 20 * PAGE, 50 * PAGE);
	block = resize(block, 5 * PAGE, 7 * PAGE);
	give_back(own);
	object_in(parent, 30 * PAGE);
	acre_region_rewind(parent, mark);
	drop_objects(parent);
	acre_region_reset(child);
	drop_objects(child);
	check_model();
	fill(child, 20);
	retire(open_with(pool, (acre_region_options){.budget = tenant}));
	wait_for_limbo();
	REQUIRE(acre_budget_destroy(tenant) == EBUSY);
}

/* A limit refuses what memory would be there for, as if there were none. */
static void
reaches_its_budget(void)
{
	acre_budget *budget = make_budget(NULL, 12 * PAGE);
	acre_pool *pool = make_small_pool();
	acre_region *other = open_with(pool, (acre_region_options){
		.budget = budget});
	acre_region *region = open_with(pool, (acre_region_options){
		.budget = budget});

	fill(other, 6);
	for (int i = 0; i < 3; i++) {
		REQUIRE(!acre_alloc(region, 20 * PAGE) && errno == ENOMEM);
		REQUIRE(acre_region_failed(region));
		check_model();
		object_in(region, 3 * PAGE);
		acre_region_reset(region);
		drop_objects(region);
	}
	close_region(other);
	fill(region, 10);
}

static void
uses_the_default_pool(void)
{
	acre_pool *pool;
	acre_region *region;

	MUST(pool = acre_pool_default());
	region = open_in(pool);
	fill(region, 4);
	REQUIRE(acre_pool_destroy(pool) == EBUSY);
	close_region(region);
	close_region(open_in(pool));
}

const struct scenario scenarios[SCENARIOS] = {
	{"first use", opens_and_closes, 6, true, false},
	{"default pool", uses_the_default_pool, 6, true, true},
	{"grow", grows, 14, false, false},
	{"large", has_large_objects, 10, false, false},
	{"large, records", has_records, 20, false, false},
	{"large, mmap", has_mapped_objects, 10, false, false},
	{"large, huge", has_huge_objects, 14, false, false},
	{"children, cleanups", has_children_and_cleanups, 12, false, false},
	{"rewind", rewinds, 12, false, false},
	{"strings", has_strings, 8, false, false},
	{"allocators", is_an_allocator, 20, false, false},
	{"retire", retires, 12, false, false},
	{"helper", gets_its_helper_in_the_end, 7, false, false},
	{"threads", has_threads, 25, false, false},
	{"hand on", hands_on, 25, false, false},
	{"many pools", has_many_pools, 120, false, false},
	{"trim", is_trimmed, 20, false, false},
	{"limit", reaches_its_limit, 12, false, false},
	{"decay", decays, 10, false, false},
	{"budgets", has_budgets, 20, false, false},
	{"budget, full", reaches_its_budget, 8, false, false},
};
