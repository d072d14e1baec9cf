/* SPDX-License-Identifier: MIT */
/*
 * fault_test.c - wherever memory or a thread cannot be had, nothing is lost.
 *
 * Scenarios, which together make every call of the API, are played again and
 * again: with the first call of malloc, mmap, pthread_create and the like
 * failing, then the second, until one goes through untouched. In four ways:
 *
 *   once      that call fails, and no other
 *   outage    all calls fail from there on, until acre has said ENOMEM once
 *   for good  all calls fail from there on; acre says ENOMEM, and then all
 *             that there is must be closed and destroyed
 *   crooked   that call of the source gives memory that is not aligned
 *
 * Each plays on a thread of its own: when that has ended, there must be no
 * piece of malloc's, and no mapping, that acre has not given back.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "tests/fault.h"
#include "tests/fault_parts.h"
#include "tests/fault_scenarios.h"
#include "tests/suite.h"

/* ---- playing scenarios ---- */

static const struct {
	const char *name;
	enum fault_mode mode;
	bool stays;
	bool crooked;
} modes[] = {
	{"once", FAULT_ONCE, false, false},
	{"outage", FAULT_OUTAGE, false, false},
	{"for good", FAULT_OUTAGE, true, false},
	{"crooked", FAULT_ONCE, false, true},
};

/* The last of them. */
#define CROOKED (COUNT(modes) - 1)

/* ThreadSanitizer makes threads slow to begin, and each play is one. */
#ifdef __SANITIZE_THREAD__
#define MODES 1
#else
#define MODES COUNT(modes)
#endif
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void *
play(void *argument)
{
	const struct scenario *s = argument;

	if (!setjmp(abandon)) {
		s->play();
	}
	/* Faults go on where they stay. */
	end_all();
	return NULL;
}

/* Returns whether a call has failed. */
static bool
play_with(const struct scenario *s, size_t mode, size_t n)
{
	pthread_t thread;
	size_t live = fault.live; /* Check's own */
	bool failed;

	memset(&model, 0, sizeof(model));
	model.scenario = s->name;
	model.mode = modes[mode].name;
	model.stays = modes[mode].stays;
	model.n = n;
	crooked.used = modes[mode].crooked;
	crooked.left = crooked.used ? n : 0;
	if (!crooked.shift)
		crooked.shift = 16;
	fault_at(crooked.used ? 0 : n, modes[mode].mode);
	REQUIRE(!__real_pthread_create(&thread, NULL, play, (void *)s));
	pthread_join(thread, NULL);
	failed = fault_count();
	fault_never();
	REQUIRE(s->leaves || fault.live == live);
	REQUIRE(s->leaves || fault.mapped == 0);
	return failed;
}

/* In a process of its own. */
static bool
play_first(const struct scenario *s, size_t mode, size_t n)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (!child)
		_exit(play_with(s, mode, n) ? 10 : 11);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 10 ||
		WEXITSTATUS(status) == 11), "status %#x", (unsigned)status);
	return WEXITSTATUS(status) == 10;
}

static void
play_all(bool first)
{
	for (size_t i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];

		for (size_t mode = 0; s->first == first && mode < MODES;
			mode++) {
			size_t n = 1;

			while (first ? play_first(s, mode, n) :
				play_with(s, mode, n))
				n++;
			printf("%s, %s: %zu calls\n", s->name,
				modes[mode].name, n - 1);
			ck_assert_uint_ge(n, modes[mode].crooked ? 1 :
				s->least);
		}
	}
}

START_TEST(wherever_a_first_use_fails_nothing_is_lost)
{
	play_all(true);
}
END_TEST

START_TEST(wherever_a_call_fails_nothing_is_lost)
{
	play_all(false);
}
END_TEST

START_TEST(a_source_that_aligns_to_16_alone_serves)
{
	for (size_t shift = 16; shift < 2 * PAGE; shift += 560)
		for (size_t i = 0; i < SCENARIOS; i++) {
			crooked.shift = shift;
			if (!scenarios[i].first)
				ck_assert(!play_with(&scenarios[i],
					CROOKED, 0));
		}
}
END_TEST

/* Or there would be fewer of them for ever after. */
START_TEST(a_slab_that_cannot_be_had_does_not_count)
{
	struct depot depot = {0};
	struct stash stash = {0};

	depot_init(&depot);
	fault_at(1, FAULT_OUTAGE);
	for (int i = 0; i < 3; i++)
		REQUIRE(!descriptor_get(&depot, &stash));
	fault_never();
	ck_assert_uint_eq(fault_count(), 3);
	ck_assert_uint_eq(depot.made, 0);
	ck_assert_ptr_nonnull(descriptor_get(&depot, &stash));
	depot_destroy(&depot);
}
END_TEST

/* ---- a full address space ---- */

#define ROOM ((rlim_t)96 << 20)
enum { FILLERS = 3, ROUNDS = 4 };

static pthread_barrier_t all_ready;
static atomic_size_t filled;

/* Until there is no more; all of it is as it was written. */
static void
fill_up(acre_pool *pool)
{
	acre_region *region = acre_region_open(pool);
	unsigned char *last = NULL;
	size_t size = 0;

	if (!region)
		return;
	for (size_t i = 0;; i++) {
		unsigned char *p = acre_alloc(region, i % 50 ? 3000 : 300000);

		if (!p)
			break;
		size = i % 50 ? 3000 : 300000;
		memset(p, (int)i, size);
		filled += size;
		REQUIRE(!last || is_all(last, 3000, (unsigned char)(i - 1)));
		last = p;
	}
	REQUIRE(errno == ENOMEM && acre_region_failed(region));
	acre_region_close(region);
}

static void *
fill_often(void *pool)
{
	/* Known to liburcu while there is memory: without, it aborts. */
	acre_region_close(acre_region_open(pool));
	pthread_barrier_wait(&all_ready);
	pthread_barrier_wait(&all_ready);
	for (int i = 0; i < ROUNDS; i++)
		fill_up(pool);
	return NULL;
}

static rlim_t
mapped_now(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	REQUIRE(f && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	return (rlim_t)pages * PAGE;
}

static void
fill_the_address_space(const acre_allocator *source)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	acre_pool *pool = acre_pool_create(
		&(acre_pool_options){.source = source});
	pthread_t threads[FILLERS];
	acre_region *region;

	memset(&model, 0, sizeof(model));
	filled = 0;
	pthread_barrier_init(&all_ready, NULL, FILLERS + 1);
	for (int i = 0; i < FILLERS; i++)
		pthread_create(&threads[i], NULL, fill_often, pool);
	pthread_barrier_wait(&all_ready);
	limit.rlim_cur = mapped_now() + ROOM;
	REQUIRE(!setrlimit(RLIMIT_AS, &limit));
	pthread_barrier_wait(&all_ready);
	for (int i = 0; i < FILLERS; i++)
		pthread_join(threads[i], NULL);
	region = acre_region_open(pool);
	REQUIRE(region && acre_alloc(region, 3000));
	acre_region_close(region);
	check_pool(pool);
	REQUIRE(acre_pool_destroy(pool) == 0);
	REQUIRE(filled > ROOM / 2);
}

/* In a process of its own, as limits stay. Sanitizers need all there is. */
START_TEST(a_full_address_space_is_ENOMEM)
{
	static const acre_allocator *const sources[] = {
		&acre_malloc_allocator, &acre_mmap_allocator,
	};

	for (size_t i = 0; i < COUNT(sources) && !SANITIZED; i++) {
		int status;
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (!child) {
			fill_the_address_space(sources[i]);
			_exit(0);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

SUITE("fault", wherever_a_first_use_fails_nothing_is_lost,
	wherever_a_call_fails_nothing_is_lost,
	a_source_that_aligns_to_16_alone_serves,
	a_slab_that_cannot_be_had_does_not_count,
	a_full_address_space_is_ENOMEM)
