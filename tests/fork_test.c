/* SPDX-License-Identifier: MIT */
/* fork_test.c - what a child can do, and its parent after it, with bp. */

#include "lib/atomic.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/pool.h"
#include "tests/actor.h"
#include "tests/forks.h"

#define PAGE ((size_t)4096)
#define MOST_IN_CHILD (1024 * PAGE)

static acre_pool *pool;

static void
set_up(acre_pool_options options)
{
	pool = pool_with(options);
	watch_forks();
}

static void
work(void *unused)
{
	(void)unused;
	must_work(pool);
	must_work_anew(NULL);
}

/* ---- one thread ---- */

static void
use_and_destroy(void *region)
{
	must_balance(pool);
	must(acre_pool_destroy(pool) == EBUSY);
	must(acre_alloc(region, 100000) != NULL);
	acre_region_reset(region);
	acre_region_close(region);
	work(NULL);
	must(acre_pool_destroy(pool) == 0);
	must_work_anew(NULL);
}

START_TEST(a_child_can_do_all_that_its_parent_can)
{
	acre_region *region;

	set_up((acre_pool_options){0});
	region = must_open(pool, 5);
	in_child(use_and_destroy, region);
	work(NULL);
	in_child(use_and_destroy, region);
	acre_region_close(region);
	work(NULL);
	assert_balanced(pool);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

static void
fork_five_deep(void *depth)
{
	work(NULL);
	if (depth < (void *)5)
		must_in_child(fork_five_deep, (char *)depth + 1);
	work(NULL);
	must(acre_pool_destroy(pool) == 0);
}

START_TEST(so_can_a_childs_child)
{
	set_up((acre_pool_options){0});
	in_child(fork_five_deep, NULL);
	work(NULL);
}
END_TEST

static void
execute(void *unused)
{
	(void)unused;
	execl("/bin/true", "true", (char *)NULL);
	must(errno == 0); /* /bin/true is not there */
}

START_TEST(a_child_may_just_execute_another_program)
{
	set_up((acre_pool_options){0});
	must_work(pool);
	for (int i = 0; i < 10; i++)
		in_child(execute, NULL);
	work(NULL);
}
END_TEST

/* Handlers that were there twice would wait for themselves. */
START_TEST(any_number_of_pools_and_forks_goes)
{
	set_up((acre_pool_options){0});
	for (int i = 0; i < 100; i++)
		must_work_anew(NULL);
	for (int i = 0; i < 20; i++)
		in_child(work, NULL);
	work(NULL);
}
END_TEST

static void
use_default_pool(void *unused)
{
	(void)unused;
	must_work(acre_pool_default());
	must(acre_pool_destroy(acre_pool_default()) == EBUSY);
}

START_TEST(the_default_pool_is_there_in_a_child)
{
	acre_region *region;

	in_child(use_default_pool, NULL); /* made there */
	region = must_open(acre_pool_default(), 1);
	in_child(use_default_pool, NULL);
	acre_region_close(region);
	use_default_pool(NULL);
}
END_TEST

/* ---- limbo ---- */

static void
post(void *event)
{
	sem_post(event);
}

static void
retire_without_barrier(void *event)
{
	acre_region *region = must_open(pool, 1);

	if (no_threads)
		return;
	must(acre_cleanup_add(region, post, event) == 0);
	must(acre_region_retire(region) == 0);
	wait_for(event);
}

/* The parent's is awake, so that retire would not think of waking it. */
START_TEST(a_child_has_a_helper_of_its_own)
{
	sem_t event;

	set_up((acre_pool_options){0});
	sem_init(&event, 0, 0);
	must_retire(pool);
	ck_assert(!helper_is_dormant());
	in_child(retire_without_barrier, &event);
	retire_without_barrier(&event);
	sem_destroy(&event);
}
END_TEST

#define RETIRED 10

static int cleanups[RETIRED];

static void
count_cleanup(void *counter)
{
	++*(int *)counter;
}

/* The helper is kept from its next tick. That it is awake is seen when it is
 * held: then retire wakes nobody, and waits for nobody. */
static void
hold_helper(void *unused)
{
	(void)unused;
	for (;;) {
		helper_want(grace_needed());
		helper_before_fork();
		if (!helper_is_dormant())
			return;
		helper_after_fork(false);
	}
}

static void
release_helper(void *unused)
{
	(void)unused;
	helper_after_fork(false);
}

static void
see_cleanups(int each)
{
	for (int i = 0; i < RETIRED; i++)
		must(cleanups[i] == each);
}

static void
wait_for_limbo(void *unused)
{
	(void)unused;
	see_cleanups(0);
	must(stats_of(pool).limbo_bytes >= RETIRED * PAGE);
	must_balance(pool);
	must(acre_pool_barrier(pool) == 0);
	see_cleanups(1);
	must(stats_of(pool).limbo_bytes == 0);
	work(NULL);
	see_cleanups(1);
}

static void
destroy_with_limbo(void *unused)
{
	(void)unused;
	see_cleanups(0);
	must(acre_pool_destroy(pool) == 0);
	see_cleanups(1);
}

/* A fork with RETIRED regions in limbo: it waits for the helper's lock, and
 * holds what a tick needs by then. */
static void
fork_with_limbo(void (*body)(void *))
{
	struct holder holder = {
		.hold = hold_helper,
		.release = release_helper,
	};
	acre_region *regions[RETIRED];

	set_up((acre_pool_options){0});
	for (int i = 0; i < RETIRED; i++) {
		regions[i] = must_open(pool, 1 + (size_t)i);
		ck_assert_int_eq(acre_cleanup_add(regions[i], count_cleanup,
					 &cleanups[i]), 0);
	}
	holder_start(&holder);
	for (int i = 0; i < RETIRED; i++)
		ck_assert_int_eq(acre_region_retire(regions[i]), 0);
	in_child(body, NULL);
	holder_join(&holder);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	see_cleanups(1);
	work(NULL);
	see_cleanups(1);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

START_TEST(cleanups_in_limbo_run_once_in_each_process)
{
	fork_with_limbo(wait_for_limbo);
}
END_TEST

START_TEST(a_child_destroys_a_pool_with_regions_in_limbo)
{
	fork_with_limbo(destroy_with_limbo);
}
END_TEST

#define LIMBO (64 * 16 * PAGE)
#define THREADS 80

static sem_t retired, end;

static void *
retire_one_and_stay(void *unused)
{
	must(acre_region_retire(must_open(pool, 0)) == 0);
	sem_post(&retired);
	wait_for(&end);
	return unused;
}

static void
retire_small_and_large(void *unused)
{
	acre_region *region = must_open(pool, 0);

	(void)unused;
	must(stats_of(pool).limbo_bytes == 0);
	must(load_relaxed(&pool->limbo_reserved) == 0);
	for (int i = 0; i < 100; i++)
		must(acre_region_retire(must_open(pool, 16)) == 0);
	must(acre_alloc(region, 2 * LIMBO) != NULL);
	must(acre_region_retire(region) == 0);
	must(acre_pool_barrier(pool) == 0);
	must_work(pool);
}

/* What threads had set aside of it is not theirs in the child. */
START_TEST(a_child_has_all_of_limbo)
{
	pthread_t threads[THREADS];

	set_up((acre_pool_options){.limbo_bytes = LIMBO});
	sem_init(&retired, 0, 0);
	sem_init(&end, 0, 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
					 retire_one_and_stay, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		wait_for(&retired);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	in_child(retire_small_and_large, NULL);
	for (int i = 0; i < THREADS; i++)
		sem_post(&end);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* ---- a source that takes its time ---- */

#define CHUNK (4 * PAGE)
#define CHUNKS 3

static sem_t asked, answer;
static _Thread_local bool patient;

static void *
allocate_slowly(void *unused, size_t size)
{
	(void)unused;
	if (patient) {
		patient = false;
		sem_post(&asked);
		wait_for(&answer);
	}
	return aligned_alloc(PAGE, size);
}

static void
give_back(void *unused, void *p)
{
	(void)unused;
	free(p);
}

static const acre_allocator slow_source = {
	.allocate = allocate_slowly,
	.free = give_back,
};

static void *
ask_for_large(void *unused)
{
	acre_region *region = must_open(pool, 0);

	patient = true;
	must(acre_alloc(region, 2 * CHUNK) != NULL);
	acre_region_close(region);
	return unused;
}

static void *
ask_for_chunk(void *unused)
{
	patient = true;
	acre_region_close(must_open(pool, 0));
	return unused;
}

/* Take all that there is; what was reserved by the thread that is not here
 * is there too. */
static void
exhaust(void *expected)
{
	static const acre_region_options options = {.max_bytes = PAGE};
	acre_region *regions[2 * CHUNKS * CHUNK / PAGE];
	acre_region *big;
	size_t n = 0, open;

	while ((regions[n] = acre_region_open_with(pool, &options)))
		n++;
	must(errno == ENOMEM);
	must(stats_of(pool).chunk_bytes == CHUNKS * CHUNK);
	must(n >= (size_t)(uintptr_t)expected);
	must_balance(pool);
	must(acre_alloc(regions[0], 3 * PAGE) == NULL && errno == ENOMEM);
	while (n)
		acre_region_close(regions[--n]);
	big = must_open(pool, 0);
	/* For which whole chunks go back. */
	must(acre_alloc(big, 2 * CHUNK) != NULL);
	acre_region_close(big);
	must_balance(pool);
	must(acre_region_retire(must_open(pool, 0)) == 0);
	must(acre_pool_barrier(pool) == 0);
	open = stats_of(pool).regions_open;
	must(acre_pool_destroy(pool) == (open ? EBUSY : 0));
}

static void
fork_while_asked(void *(*ask)(void *))
{
	acre_pool_options options = {
		.source = &slow_source,
		.chunk_size = CHUNK,
		.max_bytes = CHUNKS * CHUNK,
		.cache_bytes = 2 * PAGE,
	};
	pthread_t thread;

	sem_init(&asked, 0, 0);
	sem_init(&answer, 0, 0);
	set_up(options);
	ck_assert_int_eq(pthread_create(&thread, NULL, ask, NULL), 0);
	wait_for(&asked);
	in_child(exhaust, (void *)((CHUNKS - 1) * CHUNK / PAGE));
	sem_post(&answer);
	pthread_join(thread, NULL);
	exhaust((void *)(CHUNKS * CHUNK / PAGE - 2));
}

START_TEST(what_a_source_was_asked_for_by_others_is_free_in_a_child)
{
	fork_while_asked(ask_for_large);
}
END_TEST

START_TEST(so_is_a_chunk)
{
	fork_while_asked(ask_for_chunk);
}
END_TEST

/* ---- idle threads, trim and decay ---- */

/* A thread that keeps pages, and waits. */
static struct actor keeper;
static size_t kept;

static void
keep_pages(void *unused)
{
	(void)unused;
	must_open_and_close(pool);
	kept = stats_of(pool).cache_bytes;
}

/* Other threads' words are not there any more: what they kept stays where it
 * is, and what the child's own kept goes. */
static void
trim_and_destroy(void *unused)
{
	(void)unused;
	must(stats_of(pool).cache_bytes == kept);
	must_open_and_close(pool);
	must(acre_pool_trim(pool, 0, SIZE_MAX) > 0);
	must(stats_of(pool).cache_bytes == kept);
	must_balance(pool);
	work(NULL);
	must(acre_pool_destroy(pool) == 0);
}

START_TEST(a_child_leaves_other_threads_caches_alone)
{
	set_up((acre_pool_options){0});
	actor_start(&keeper);
	actor_do(&keeper, keep_pages, NULL);
	ck_assert_uint_gt(kept, 0);
	in_child(trim_and_destroy, NULL);
	/* The parent has them as before. */
	ck_assert_uint_gt(acre_pool_trim(pool, 0, SIZE_MAX), 0);
	ck_assert_uint_eq(stats_of(pool).cache_bytes, 0);
	actor_do(&keeper, keep_pages, NULL);
	actor_end(&keeper);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* At max_bytes: what is in them is looked for, and not found. */
static void
ask_in_vain(void *unused)
{
	size_t pages = 0;

	(void)unused;
	while (acre_region_open_with(pool,
		&(acre_region_options){.max_bytes = PAGE}))
		pages++;
	must(errno == ENOMEM);
	must(pages == (MOST_IN_CHILD - kept) / PAGE);
}

START_TEST(a_child_at_its_limit_gets_enomem)
{
	set_up((acre_pool_options){.source = &acre_mmap_allocator,
		.chunk_size = MOST_IN_CHILD, .max_bytes = MOST_IN_CHILD});
	actor_start(&keeper);
	actor_do(&keeper, keep_pages, NULL);
	in_child(ask_in_vain, NULL);
	actor_end(&keeper);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

static void
decay_in_child(void *unused)
{
	(void)unused;
	acre_region_close(must_open(pool, 10000));
	while (stats_of(pool).chunk_bytes > 1000 * PAGE)
		sched_yield();
	must_balance(pool);
	must(acre_pool_destroy(pool) == 0);
}

/* Whether the parent's has ended, is under way or sleeps. */
START_TEST(decay_begins_anew_in_a_child)
{
	set_up((acre_pool_options){.decay_ms = 10});
	acre_region_close(must_open(pool, 100));
	for (int i = 0; i < 5; i++) {
		in_child(decay_in_child, NULL);
		acre_region_close(must_open(pool, 5000));
		in_child(decay_in_child, NULL);
	}
	while (stats_of(pool).chunk_bytes)
		sched_yield();
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* A source that holds the helper up in its decay. */
static _Atomic(bool) helper_is_in_free, let_helper_go;

static void
slow_free(void *userdata, void *memory)
{
	(void)userdata;
	if (helper_is_me()) {
		store_release(&helper_is_in_free, true);
		while (!load_acquire(&let_helper_go))
			sched_yield();
	}
	free(memory);
}

static void *
aligned_allocate(void *userdata, size_t size)
{
	(void)userdata;
	return aligned_alloc(PAGE, size);
}

static void
use_and_end(void *unused)
{
	(void)unused;
	/* The child's own helper is not held up. */
	store_release(&let_helper_go, true);
	work(NULL);
	must(acre_pool_destroy(pool) == 0);
}

START_TEST(a_child_destroys_a_pool_that_the_helper_was_trimming)
{
	static const acre_allocator slow = {
		.allocate = aligned_allocate, .free = slow_free};

	set_up((acre_pool_options){.source = &slow, .decay_ms = 1});
	acre_region_close(must_open(pool, 2000));
	while (!load_acquire(&helper_is_in_free))
		sched_yield();
	in_child(use_and_end, NULL);
	store_release(&let_helper_go, true);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* ---- a step that is under way ---- */

static void
see_no_step(void *unused)
{
	(void)unused;
	must(load_relaxed(&pool->steps_ended) ==
		load_relaxed(&pool->steps_begun));
	work(NULL);
	must(acre_pool_destroy(pool) == 0);
}

START_TEST(a_step_is_over_in_a_child_and_goes_on_in_its_parent)
{
	set_up((acre_pool_options){0});
	acre_region_close(must_open(pool, 1));
	pool_begin_step(pool);
	in_child(see_no_step, NULL);
	ck_assert_uint_eq(load_relaxed(&pool->steps_ended) + 1,
		load_relaxed(&pool->steps_begun));
	pool_end_step(pool, pool->members);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}
END_TEST

/* ---- threads at full speed ---- */

#define WORKERS 4
#define FORKS 25
#define COME_AND_GO 6
#define ROUNDS 200 /* of each worker, before the first fork */

static acre_pool *limited, *tiny;
static _Atomic(acre_region *) handed_over;
static _Atomic(bool) stop;
static sem_t warm;

static void *
open_and_end(void *unused)
{
	acre_region_close(acre_region_open(pool));
	return unused;
}

static void
make_and_end_pool(void)
{
	acre_pool *own = acre_pool_create(NULL);

	must(own != NULL);
	acre_region_close(must_open(own, 1));
	must(acre_region_retire(must_open(own, 1)) == 0);
	must(acre_pool_destroy(own) == 0);
}

static void
come_and_go(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, open_and_end, NULL))
		pthread_join(thread, NULL);
}

/* One of what a server does. */
static void
do_one(unsigned what)
{
	acre_region *region;

	switch (what % 8) {
	case 0:
		acre_region_close(must_open(pool, what % 50));
		break;
	case 1:
		must(acre_region_retire(must_open(pool, what % 20)) == 0);
		break;
	case 2:
		region = must_open(pool, 1);
		must(acre_region_detach(region) == 0);
		acre_region_close(atomic_exchange(&handed_over, region));
		break;
	case 3: /* may be at its limit */
		region = acre_region_open(limited);
		if (region)
			(void)acre_alloc(region, 40000);
		acre_region_close(region);
		break;
	case 4: /* each region goes to the pool */
		acre_region_close(must_open(tiny, 8));
		acre_thread_flush(tiny);
		break;
	case 5:
		make_and_end_pool();
		break;
	case COME_AND_GO:
		come_and_go();
		break;
	default:
		if (what % 64 == 7)
			must(acre_pool_barrier(pool) == 0);
		acre_thread_flush(pool);
		stats_of(tiny);
	}
}

static void *
work_on(void *number)
{
	unsigned what = (unsigned)(uintptr_t)number;

	for (unsigned round = 0; !load_relaxed(&stop); round++) {
		what = what * 1664525 + 1013904223;
		do_one(what >> 16);
		if (round == ROUNDS)
			sem_post(&warm);
	}
	return NULL;
}

/* Others' regions may have been open: then a pool is not ended. */
static void
must_end(acre_pool *ended)
{
	int error = acre_pool_destroy(ended);

	must(error == 0 || error == EBUSY);
}

/* Without threads of its own: where others have come and gone at the fork,
 * liburcu 0.13 may have lost the lock that it takes for a new one. */
static void __attribute__((unused))
use_all(void *unused)
{
	(void)unused;
	must_balance(pool);
	must_balance(limited);
	must_balance(tiny);
	for (unsigned what = 0; what < 64; what++)
		if (what % 8 != COME_AND_GO)
			do_one(what);
	must_open_and_close(tiny);
	must_retire(pool);
	must_retire(tiny);
	must_end(pool);
	must_end(limited);
	must_end(tiny);
}

/* AddressSanitizer's malloc may be locked for ever in the child of a process
 * whose threads use it. */
#ifdef __SANITIZE_ADDRESS__
#define USE_ALL execute
#else
#define USE_ALL use_all
#endif

/* Exact for pools that only end regions here. */
static void
assert_at_rest(acre_pool *used)
{
	ck_assert_int_eq(acre_pool_barrier(used), 0);
	assert_balanced(used);
	ck_assert_uint_eq(stats_of(used).regions_open, 0);
	ck_assert_uint_eq(stats_of(used).region_bytes, 0);
	ck_assert_uint_eq(stats_of(used).limbo_bytes, 0);
	ck_assert_uint_eq(stats_of(used).large_bytes, 0);
	ck_assert_int_eq(acre_pool_destroy(used), 0);
}

START_TEST(a_child_can_while_others_work_at_full_speed)
{
	pthread_t workers[WORKERS];

	set_up((acre_pool_options){.limbo_bytes = 256 * PAGE});
	limited = pool_with((acre_pool_options){.max_bytes = 64 * PAGE});
	tiny = pool_with((acre_pool_options){.cache_bytes = 2 * PAGE,
		.chunk_size = 16 * PAGE});
	sem_init(&warm, 0, 0);
	for (int i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_create(&workers[i], NULL, work_on,
					 (void *)(uintptr_t)(i + 1)), 0);
	for (int i = 0; i < WORKERS; i++)
		wait_for(&warm);
	for (int i = 0; i < FORKS; i++)
		in_child(i % 5 ? USE_ALL : execute, NULL);
	store_relaxed(&stop, true);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	acre_region_close(atomic_exchange(&handed_over, NULL));
	assert_at_rest(pool);
	assert_at_rest(limited);
	assert_at_rest(tiny);
}
END_TEST

SUITE_WITHOUT_SANITIZER("fork", a_child_can_do_all_that_its_parent_can, so_can_a_childs_child,
	a_child_may_just_execute_another_program,
	any_number_of_pools_and_forks_goes,
	the_default_pool_is_there_in_a_child, a_child_has_a_helper_of_its_own,
	cleanups_in_limbo_run_once_in_each_process,
	a_child_destroys_a_pool_with_regions_in_limbo,
	a_child_has_all_of_limbo,
	what_a_source_was_asked_for_by_others_is_free_in_a_child,
	so_is_a_chunk, a_child_leaves_other_threads_caches_alone,
	a_child_at_its_limit_gets_enomem, decay_begins_anew_in_a_child,
	a_child_destroys_a_pool_that_the_helper_was_trimming,
	a_step_is_over_in_a_child_and_goes_on_in_its_parent,
	a_child_can_while_others_work_at_full_speed)
