/* SPDX-License-Identifier: MIT */
/*
 * fork_locks_test.c - a fork meets threads that hold something, or are in the
 * middle of something: it waits for them, and never they for it.
 *
 * A holder lets go when the fork waits for it. Had the fork not waited, the
 * child would find things as they were held, and hang.
 */
#include <stdlib.h>
#include <urcu/urcu-bp.h>

#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/pool.h"
#include "tests/forks.h"

/* ---- calls of acre's that a thread stops in ---- */

/* What this thread does in its next call of one of these, and of
 * pthread_create. */
static _Thread_local void (*on_aligned_alloc)(void);
static _Thread_local void (*on_pthread_atfork)(void);

/* The linker puts these in the place of the calls. */
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __real_pthread_atfork(void (*)(void), void (*)(void), void (*)(void));
int __wrap_pthread_atfork(void (*)(void), void (*)(void), void (*)(void));

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	do_once(&on_aligned_alloc);
	return __real_aligned_alloc(alignment, size);
}

int
__wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void),
	void (*child)(void))
{
	do_once(&on_pthread_atfork);
	return __real_pthread_atfork(prepare, parent, child);
}

/* ---- what is held ---- */

static acre_pool *pool;
static sem_t stopped;

/* The calling thread stays where it is until a fork waits. */
static void
stop_here(void)
{
	sem_post(&stopped);
	await_waiting_fork();
}

/* Stays open. What threads of the parent have in their hands while it forks is
 * missing in the child's sums, or counted twice: then from this. */
static acre_region *kept;

static void
set_up(void)
{
	acre_pool_options options = {0};

	sem_init(&stopped, 0, 0);
	pool = pool_with(options);
	kept = must_open(pool, 1024);
	watch_forks();
}

static void
use_everything(void *unused)
{
	(void)unused;
	must_work(pool);
	must_work_anew(NULL);
	must_open_and_close(acre_pool_default());
	must_retire(acre_pool_default());
}

/* A fork, while a thread is stopped in body. */
static void
fork_meets(void *(*body)(void *))
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, body, NULL), 0);
	wait_for(&stopped);
	in_child(use_everything, NULL);
	pthread_join(thread, NULL);
	use_everything(NULL);
}

static void *
hold_registry(void *unused)
{
	registry_lock();
	stop_here();
	registry_unlock();
	return unused;
}

START_TEST(a_fork_waits_for_the_registry)
{
	set_up();
	fork_meets(hold_registry);
}
END_TEST

static void *
hold_depot(void *unused)
{
	pthread_mutex_lock(&pool->depot.lock);
	stop_here();
	pthread_mutex_unlock(&pool->depot.lock);
	return unused;
}

/* The depot's is only ever tried, but for a thread that ends. */
START_TEST(a_fork_waits_for_a_depot)
{
	set_up();
	fork_meets(hold_depot);
}
END_TEST

static void *
hold_overflow(void *unused)
{
	struct overflow *overflow = &pool->orders[0].overflow;

	pthread_mutex_lock(&overflow->lock);
	stop_here();
	pthread_mutex_unlock(&overflow->lock);
	return unused;
}

static void
use_overflow(void *unused)
{
	struct overflow *overflow = &pool->orders[0].overflow;
	struct batch batch;

	(void)unused;
	must(overflow_pop(overflow, &batch));
	overflow_push(overflow, &batch);
	must_work(pool);
}

START_TEST(a_fork_waits_for_an_overflow)
{
	static char page[4096] __attribute__((aligned(4096)));
	struct batch batch = {
		.first = (struct block *)page,
		.count = 1,
		.linked = true,
	};
	pthread_t thread;

	set_up();
	overflow_push(&pool->orders[0].overflow, &batch);
	pthread_create(&thread, NULL, hold_overflow, NULL);
	wait_for(&stopped);
	in_child(use_overflow, NULL);
	pthread_join(thread, NULL);
}
END_TEST

/* Regions of its own; the helper is created by it. */
static void *
create_helper(void *unused)
{
	on_pthread_create = stop_here;
	must_retire(pool);
	return unused;
}

START_TEST(a_fork_waits_for_the_helpers_creation)
{
	set_up();
	fork_meets(create_helper);
}
END_TEST

static void *
make_default_pool(void *unused)
{
	on_aligned_alloc = stop_here;
	must_open_and_close(acre_pool_default());
	return unused;
}

START_TEST(a_fork_waits_for_the_default_pool)
{
	set_up();
	fork_meets(make_default_pool);
}
END_TEST

static void *
use_pool_first(void *unused)
{
	on_aligned_alloc = stop_here;
	must_open_and_close(pool);
	return unused;
}

START_TEST(a_fork_waits_for_a_threads_first_use)
{
	set_up();
	fork_meets(use_pool_first);
}
END_TEST

static void *
make_first_pool(void *unused)
{
	on_pthread_atfork = stop_here;
	on_aligned_alloc = stop_here;
	pool = acre_pool_create(NULL);
	must(pool != NULL);
	return unused;
}

static void
make_and_use(void *unused)
{
	(void)unused;
	must_work_anew(NULL);
	must_open_and_close(acre_pool_default());
}

/* Whether or not acre's handlers are there already. */
START_TEST(a_fork_may_come_in_the_process_first_pool)
{
	pthread_t thread;

	sem_init(&stopped, 0, 0);
	watch_forks();
	ck_assert_int_eq(
		pthread_create(&thread, NULL, make_first_pool, NULL), 0);
	wait_for(&stopped);
	in_child(make_and_use, NULL);
	pthread_join(thread, NULL);
	in_child(use_everything, NULL);
	use_everything(NULL);
}
END_TEST

/* ---- grace periods and readers ---- */

/* Another thread wants a grace period and waits for it. */
static void *
retire_and_wait(void *unused)
{
	must_retire(pool);
	return unused;
}

static pthread_t
begin_to_wait(void)
{
	uint64_t retired = stats_of(pool).regions_retired;
	pthread_t thread;

	ck_assert_int_eq(
		pthread_create(&thread, NULL, retire_and_wait, NULL), 0);
	/* Odd: a period is under way. It holds bp's lock as soon as it waits
	 * for a reader, which is the only one whom it can wait for. */
	while (stats_of(pool).regions_retired == retired ||
		grace_sequence() % 2 == 0)
		sched_yield();
	return thread;
}

/* Stay in a section until the fork waits for the grace period that waits for
 * this section. */
static void *
read_until_forking(void *use)
{
	urcu_bp_read_lock();
	stop_here();
	if (use)
		acre_region_close(must_open(pool, 1));
	urcu_bp_read_unlock();
	return use;
}

static void
fork_meets_reader(void *use)
{
	pthread_t reader, waiter;

	set_up();
	ck_assert_int_eq(
		pthread_create(&reader, NULL, read_until_forking, use), 0);
	wait_for(&stopped);
	waiter = begin_to_wait();
	in_child(use_everything, NULL);
	pthread_join(reader, NULL);
	pthread_join(waiter, NULL);
	use_everything(NULL);
}

START_TEST(a_fork_waits_for_a_grace_period)
{
	fork_meets_reader(NULL);
}
END_TEST

/* The period ends when the reader has left, who is on a thread that is new
 * to the pool. */
START_TEST(a_reader_may_use_acre_while_a_fork_waits_for_it)
{
	fork_meets_reader(pool_with);
}
END_TEST

static void
be_at_rest(void *unused)
{
	must(grace_sequence() % 2 == 0);
	use_everything(unused);
	must(grace_sequence() % 2 == 0);
}

/* As a helper between the beginning and the wait, which holds no lock. */
START_TEST(a_grace_period_that_was_under_way_has_not_been)
{
	uint64_t needed;

	set_up();
	grace_begin();
	needed = grace_needed();
	in_child(be_at_rest, NULL);
	ck_assert(!grace_elapsed(needed));
	grace_end();
	use_everything(NULL);
}
END_TEST

static void
be_refused(void *region)
{
	must(acre_region_retire(region) == ENOTSUP);
	must(acre_pool_barrier(pool) == EDEADLK);
	must(acre_pool_destroy(pool) == EDEADLK);
	must_open_and_close(pool);
	urcu_bp_read_unlock();
	must(acre_region_retire(region) == ENOTSUP);
	must(acre_pool_barrier(pool) == ENOTSUP);
	must(acre_alloc(region, 100000) != NULL);
	acre_region_close(region);
	must_open_and_close(pool);
	must_open_and_close(acre_pool_default());
	must(acre_pool_destroy(pool) == 0);
}

static void
fork_inside(bool while_one_waits)
{
	pthread_t waiter;

	set_up();
	must_work(pool);
	urcu_bp_read_lock();
	if (while_one_waits)
		waiter = begin_to_wait();
	in_child(be_refused, kept);
	urcu_bp_read_unlock();
	if (while_one_waits)
		pthread_join(waiter, NULL);
	acre_region_close(kept);
	use_everything(NULL);
	ck_assert_int_eq(acre_pool_destroy(pool), 0);
}

START_TEST(a_fork_inside_a_section_leaves_no_retire)
{
	fork_inside(false);
}
END_TEST

/* The grace period cannot end before the fork has. The waiter's regions are
 * in limbo, so the child's pool is destroyed with some. */
START_TEST(a_fork_inside_a_section_waits_for_no_grace_period)
{
	fork_inside(true);
}
END_TEST

static void
stay_out_of_limbo(void *unused)
{
	(void)unused;
	urcu_bp_read_unlock();
	must_open_and_close(pool);
	must(acre_pool_barrier(pool) == ENOTSUP);
}

/* Fork when another waits in its fork, and it for this section. */
static void *
fork_inside_when_forking(void *unused)
{
	urcu_bp_read_lock();
	stop_here();
	expect_child(begin_child(stay_out_of_limbo, NULL));
	urcu_bp_read_unlock();
	return unused;
}

START_TEST(two_may_fork_at_a_time_and_one_of_them_inside_a_section)
{
	pthread_t other, waiter;

	set_up();
	ck_assert_int_eq(pthread_create(&other, NULL,
				 fork_inside_when_forking, NULL), 0);
	wait_for(&stopped);
	waiter = begin_to_wait();
	in_child(use_everything, NULL);
	pthread_join(other, NULL);
	pthread_join(waiter, NULL);
	alarm(0);
	use_everything(NULL);
}
END_TEST

/* ---- the helper at work ---- */

static int cleanups;

static void
count_when_forking(void *unused)
{
	(void)unused;
	stop_here();
	cleanups++;
}

static void
must_have_cleaned_once(void *unused)
{
	must(cleanups == 1);
	must(acre_pool_barrier(pool) == 0);
	must(cleanups == 1);
	must(stats_of(pool).limbo_bytes == 0);
	use_everything(unused);
}

START_TEST(a_fork_waits_for_a_region_that_is_being_drained)
{
	acre_region *region;

	set_up();
	region = acre_region_open(pool);
	acre_cleanup_add(region, count_when_forking, NULL);
	ck_assert_int_eq(acre_region_retire(region), 0);
	wait_for(&stopped);
	in_child(must_have_cleaned_once, NULL);
	must_have_cleaned_once(NULL);
}
END_TEST

/* The child's only thread is in the cleanup too. */
static void
use_and_retire(void *unused)
{
	acre_pool *own = acre_pool_create(NULL);
	acre_region *region;

	(void)unused;
	must(own != NULL);
	must_open_and_close(own);
	must_open_and_close(pool);
	region = must_open(pool, 3);
	if (acre_region_retire(region)) {
		must(acre_region_retire(region) == ENOTSUP);
		acre_region_close(region);
	}
	must(acre_pool_barrier(pool) == EDEADLK);
	must_balance(pool);
}

static void
fork_here(void *tid)
{
	pid_t child = begin_child(use_and_retire, NULL);
	int status;

	must(acre_pool_barrier(pool) == EDEADLK);
	must(waitpid(child, &status, 0) == child && status == 0);
	*(pid_t *)tid = (pid_t)syscall(SYS_gettid);
	cleanups++;
}

static void
fork_in_cleanup(pid_t *tid)
{
	acre_region *region;

	set_up();
	cleanups = 0;
	region = acre_region_open(pool);
	acre_cleanup_add(region, fork_here, tid);
	ck_assert_int_eq(acre_region_retire(region), 0);
	ck_assert_int_eq(acre_pool_barrier(pool), 0);
	ck_assert_int_eq(cleanups, 1);
	alarm(0);
}

START_TEST(a_cleanup_on_the_helper_may_fork)
{
	pid_t tid;

	fork_in_cleanup(&tid);
	ck_assert_int_ne(tid, (pid_t)syscall(SYS_gettid));
	use_everything(NULL);
}
END_TEST

static void
fork_when_forking(void *tid)
{
	stop_here();
	fork_here(tid);
}

START_TEST(a_cleanup_may_fork_while_another_thread_waits_in_its_fork)
{
	acre_region *region;
	pid_t tid;

	set_up();
	region = acre_region_open(pool);
	acre_cleanup_add(region, fork_when_forking, &tid);
	ck_assert_int_eq(acre_region_retire(region), 0);
	wait_for(&stopped);
	in_child(must_have_cleaned_once, NULL);
	must_have_cleaned_once(NULL);
	alarm(0);
}
END_TEST

START_TEST(a_cleanup_may_fork_on_a_thread_that_stands_in_for_the_helper)
{
	pid_t tid;

	no_threads = true;
	alarm(PARENT_SECONDS);
	fork_in_cleanup(&tid);
	ck_assert_int_eq(tid, (pid_t)syscall(SYS_gettid));
	no_threads = false;
	use_everything(NULL);
}
END_TEST

/* ---- the application's own handlers ---- */

static pthread_mutex_t applications = PTHREAD_MUTEX_INITIALIZER;

static void
lock_the_applications(void)
{
	pthread_mutex_lock(&applications);
}

static void
unlock_the_applications(void)
{
	pthread_mutex_unlock(&applications);
}

static void *
call_acre_with_it(void *unused)
{
	pthread_mutex_lock(&applications);
	stop_here();
	must_open_and_close(pool);
	pthread_mutex_unlock(&applications);
	return unused;
}

/* Handlers that are there before the first pool, as main likes to have
 * them. */
START_TEST(a_lock_of_the_applications_may_be_held_around_calls_of_acre)
{
	ck_assert_int_eq(pthread_atfork(lock_the_applications,
		unlock_the_applications, unlock_the_applications), 0);
	set_up();
	fork_meets(call_acre_with_it);
}
END_TEST

static void
use_in_handler(void)
{
	if (pool)
		must_open_and_close(pool);
}

static void
use_in_child(void)
{
	no_threads = !CHILDREN_HAVE_THREADS;
	use_in_handler();
}

START_TEST(handlers_of_the_applications_may_use_acre)
{
	ck_assert_int_eq(pthread_atfork(use_in_handler, use_in_handler,
		use_in_child), 0);
	set_up();
	in_child(use_everything, NULL);
	use_everything(NULL);
}
END_TEST

/* Called by acre too, these would wait for themselves. */
static void
watch_bp(void)
{
	acre_fork_leaves_bp();
	ck_assert_int_eq(pthread_atfork(urcu_bp_before_fork,
		urcu_bp_after_fork_parent, urcu_bp_after_fork_child), 0);
}

static void *
fork_on_new_thread(void *unused)
{
	in_child(use_everything, NULL);
	return unused;
}

/* Also on a thread that bp does not know: it would have to wait for bp's lock
 * to ask bp anything. */
static void
fork_with_own_handlers(void)
{
	pthread_t thread;

	ck_assert_int_eq(
		pthread_create(&thread, NULL, fork_on_new_thread, NULL), 0);
	pthread_join(thread, NULL);
	in_child(use_everything, NULL);
	use_everything(NULL);
	in_child(use_everything, NULL);
}

START_TEST(bp_can_be_left_to_handlers_from_before_the_first_pool)
{
	watch_bp();
	set_up();
	fork_with_own_handlers();
}
END_TEST

START_TEST(bp_can_be_left_to_handlers_from_after_it)
{
	set_up();
	watch_bp();
	fork_with_own_handlers();
}
END_TEST

static acre_pool *stocked;

/* On the helper, which has popped nothing before, and so is not known to
 * bp. */
static void
pop_when_forking(void *unused)
{
	count_when_forking(unused);
	acre_region_close(must_open(stocked, 1));
	must(stats_of(stocked).cache_misses > 0);
}

/* Then bp is stopped first, and acre waits for a region that is drained. */
START_TEST(a_cleanup_may_take_pages_while_a_fork_waits_for_it)
{
	acre_region *region;

	set_up();
	watch_bp();
	stocked = pool_with((acre_pool_options){0});
	acre_region_close(must_open(stocked, 1));
	acre_thread_flush(stocked);
	region = acre_region_open(pool);
	acre_cleanup_add(region, pop_when_forking, NULL);
	ck_assert_int_eq(acre_region_retire(region), 0);
	wait_for(&stopped);
	in_child(must_have_cleaned_once, NULL);
	must_have_cleaned_once(NULL);
}
END_TEST

SUITE_WITHOUT_SANITIZER("fork_locks", a_fork_waits_for_the_registry, a_fork_waits_for_a_depot,
	a_fork_waits_for_an_overflow, a_fork_waits_for_the_helpers_creation,
	a_fork_waits_for_the_default_pool,
	a_fork_waits_for_a_threads_first_use,
	a_fork_may_come_in_the_process_first_pool,
	a_fork_waits_for_a_grace_period,
	a_reader_may_use_acre_while_a_fork_waits_for_it,
	a_grace_period_that_was_under_way_has_not_been,
	a_fork_inside_a_section_leaves_no_retire,
	a_fork_inside_a_section_waits_for_no_grace_period,
	two_may_fork_at_a_time_and_one_of_them_inside_a_section,
	a_fork_waits_for_a_region_that_is_being_drained,
	a_cleanup_on_the_helper_may_fork,
	a_cleanup_may_fork_while_another_thread_waits_in_its_fork,
	a_cleanup_may_fork_on_a_thread_that_stands_in_for_the_helper,
	a_lock_of_the_applications_may_be_held_around_calls_of_acre,
	handlers_of_the_applications_may_use_acre,
	bp_can_be_left_to_handlers_from_before_the_first_pool,
	bp_can_be_left_to_handlers_from_after_it,
	a_cleanup_may_take_pages_while_a_fork_waits_for_it)
