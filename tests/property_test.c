/* SPDX-License-Identifier: MIT */
/*
 * property_test.c - random sequences of everything that a region can do,
 * against a simple model of what it should be then.
 *
 *	TEST_RUNS=100000 TEST_SEED=1 tests/property_test
 *
 * Without TEST_RUNS there are RUNS of them, or what SECONDS allow. Runs have
 * the seeds TEST_SEED, TEST_SEED + 1, ...; one that fails says its
 * seed and step, and TEST_SEED=<that> TEST_RUNS=1 repeats it alone.
 *
 * The model knows of each region: its live objects, each filled with a byte
 * of its own (so objects that overlap are seen), when they were born, its
 * cleanups, marks and children, and how many bytes are in blocks and in large
 * objects; and of each budget, who uses it. What the library has by itself
 * (where it places an object, how large a block is) the model takes from the
 * library, and holds it against the statistics.
 */
#include "tests/property.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STEPS = 120, RUNS = 4000, SECONDS = 5 };

static void
step(void)
{
	struct model *m = &models[random_below(REGIONS)];
	size_t dice = random_below(100);

	if (chance(5))
		step_budget();
	else if (!m->region)
		step_open(m);
	else if (dice < 35)
		step_alloc(m);
	else if (dice < 45)
		step_string(m);
	else if (dice < 60)
		step_realloc(m);
	else if (dice < 70)
		step_free(m);
	else if (dice < 76)
		step_cleanup(m);
	else if (dice < 78)
		step_cancel(m);
	else if (dice < 84)
		step_mark(m);
	else if (dice < 90)
		step_rewind(m);
	else if (dice < 94)
		step_close(m);
	else if (dice < 96)
		step_reset(m);
	else if (dice < 97)
		step_detach(m);
	else
		step_source();
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region)
			check_region(&models[i]);
	check_pool();
	check_budgets();
}

/* Pools of every kind; those that name no source have the test's. */
static const struct {
	acre_pool_options options;
	bool resizes;
} pools[] = {
	{{0}, true},
	{{.chunk_size = PAGE}, false},
	{{.chunk_size = 64 * PAGE, .cache_bytes = 1}, true},
	{{.page_size = 64 * KIB, .chunk_size = MIB}, false},
	{{.chunk_size = 32 * PAGE, .max_bytes = 96 * PAGE}, true},
	{{.chunk_size = 16 * PAGE, .cache_bytes = 24 * PAGE}, false},
	{{.page_size = 2 * PAGE, .max_bytes = 100 * PAGE,
		.chunk_size = 50 * PAGE}, false},
	{{.source = &acre_malloc_allocator, .chunk_size = 16 * PAGE}, true},
	{{.source = &acre_mmap_allocator, .chunk_size = 64 * PAGE}, true},
};

static void
open_pool(void)
{
	size_t kind = random_below(COUNT(pools));
	acre_pool_options options = pools[kind].options;

	source = (struct test_source){.alignment = PAGE};
	test_source_init(&source);
	if (pools[kind].resizes)
		source.allocator.reallocate = test_source_reallocate;
	sourced = !options.source;
	if (sourced)
		options.source = &source.allocator;
	pool = pool_with(options);
}

static void
one_run(void)
{
	random_begin();
	now = 0;
	memset(models, 0, sizeof(models));
	memset(budgets, 0, sizeof(budgets));
	open_pool();
	for (at_step = 0; at_step < STEPS; at_step++) {
		step();
		if (at_step % 16 == 0)
			check_all();
	}
	check_all();
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && !models[i].parent)
			step_close(&models[i]);
	check_pool();
	REQUIRE(stats_of(pool).regions_open == 0);
	check_budgets();
	end_budgets();
	REQUIRE(acre_pool_destroy(pool) == 0);
	REQUIRE(source.live == 0);
}

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

START_TEST(random_sequences_are_as_the_model)
{
	uint64_t first = number_from("TEST_SEED", (uint64_t)time(NULL));
	uint64_t runs = number_from("TEST_RUNS", 0);
	uint64_t most = runs ? runs : RUNS;
	time_t end = time(NULL) + SECONDS;

	printf("TEST_SEED=%llu\n", (unsigned long long)first);
	fflush(stdout);
	for (seed = first; seed < first + most; seed++) {
		if (!runs && time(NULL) > end)
			break;
		one_run();
	}
	printf("%llu runs\n", (unsigned long long)(seed - first));
}
END_TEST

SUITE("property", random_sequences_are_as_the_model)
