/* SPDX-License-Identifier: MIT */
/*
 * forks.h - forks in tests: a child that must end well and soon, and others
 * that hold something until the thread that forks waits for it.
 *
 * A child checks with must(), since Check knows nothing of it. Whoever hangs,
 * child or parent, is ended by an alarm.
 */
#ifndef ACRE_TESTS_FORKS_H
#define ACRE_TESTS_FORKS_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/process.h"
#include "tests/suite.h"

/* Before a child, and before its parent, counts as hung. */
#ifndef CHILD_SECONDS
#define CHILD_SECONDS 20
#define PARENT_SECONDS 60
#endif

/* In a child: end with a line unless it is so. */
#define must(condition)                                                     \
	((condition) ? (void)0 : must_failed(__FILE__, __LINE__, #condition))

static inline _Noreturn void
must_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: in child %d: not so: %s (errno %s)\n", file,
		line, (int)getpid(), condition, strerror(errno));
	_exit(1);
}

/* ---- pthread_create ---- */

/* ThreadSanitizer of gcc 12 and clang 14 ends a child that starts a thread:
 * there none can be started, and who waits stands in for the helper. Nor
 * does it look for races in children. */
#ifdef __SANITIZE_THREAD__
#define CHILDREN_HAVE_THREADS 0
#else
#define CHILDREN_HAVE_THREADS 1
#endif

/* What this thread does in its next call of pthread_create. */
static _Thread_local void (*on_pthread_create)(void);
static atomic_bool no_threads; /* it fails */

static inline void
do_once(void (**what)(void))
{
	void (*now)(void) = *what;

	*what = NULL;
	if (now)
		now();
}

/* The linker puts this in the place of all calls. */
int __real_pthread_create(pthread_t *, const pthread_attr_t *,
	void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *,
	void *(*)(void *), void *);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*body)(void *), void *argument)
{
	do_once(&on_pthread_create);
	if (no_threads)
		return EAGAIN;
	return __real_pthread_create(thread, attributes, body, argument);
}

/* ---- children ---- */

/* Does not return. */
static inline void
be_a_child(void (*body)(void *argument), void *argument)
{
	alarm(CHILD_SECONDS);
	no_threads = no_threads || !CHILDREN_HAVE_THREADS;
	body(argument);
	/* Not _exit: there ThreadSanitizer takes threads of the parent that
	 * have ended for leaks of the child. */
	syscall(SYS_exit_group, 0);
	_exit(0);
}

/* See that a child has ended with 0. */
static inline void
expect_child(pid_t child)
{
	int status;

	ck_assert_int_gt(child, 0);
	while (waitpid(child, &status, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	ck_assert_msg(!WIFSIGNALED(status), "the child was ended by %s",
		WTERMSIG(status) == SIGALRM ? "its alarm: it hung" :
					      strsignal(WTERMSIG(status)));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

/* Fork a child that does body(argument). */
static inline pid_t
begin_child(void (*body)(void *argument), void *argument)
{
	pid_t child;

	alarm(PARENT_SECONDS);
	child = fork();
	if (child == 0)
		be_a_child(body, argument);
	return child;
}

static inline void
in_child(void (*body)(void *argument), void *argument)
{
	expect_child(begin_child(body, argument));
	alarm(0);
}

/* ---- in a child ---- */

static inline void
must_balance(acre_pool *pool)
{
	acre_stats s = stats_of(pool);

	must(s.chunk_bytes == s.region_bytes + s.cache_bytes + s.free_bytes +
			s.limbo_bytes + s.uncarved_bytes + s.slack_bytes);
	must(s.regions_open ==
		s.regions_opened - s.regions_closed - s.regions_retired);
}

/* A region of n pages or more, each written to. */
static inline acre_region *
must_open(acre_pool *pool, size_t pages)
{
	acre_region *region = acre_region_open(pool);

	must(region != NULL);
	for (size_t n = 2 * pages; n; n--) {
		char *object = acre_alloc(region, 2048);

		must(object != NULL);
		memset(object, 0x5a, 2048);
	}
	return region;
}

static inline void
must_open_and_close(acre_pool *pool)
{
	for (size_t pages = 0; pages < 64; pages++)
		acre_region_close(must_open(pool, pages));
	acre_thread_flush(pool);
	acre_region_close(must_open(pool, 1));
	must_balance(pool);
}

/* Retire a few, and see them end. */
static inline void
must_retire(acre_pool *pool)
{
	for (size_t pages = 0; pages < 8; pages++)
		must(acre_region_retire(must_open(pool, pages)) == 0);
	must(acre_pool_barrier(pool) == 0);
	must(stats_of(pool).limbo_bytes == 0);
	must_balance(pool);
}

static inline void *
open_and_close_in_thread(void *pool)
{
	must_open_and_close(pool);
	return NULL;
}

/* All that a pool of the bp flavour can do, also on a thread of the
 * child's. */
static inline void
must_work(acre_pool *pool)
{
	pthread_t thread;

	must_open_and_close(pool);
	must_retire(pool);
	if (no_threads)
		return;
	must(!pthread_create(&thread, NULL, open_and_close_in_thread, pool));
	must(!pthread_join(thread, NULL));
	must_retire(pool);
	must_balance(pool);
}

/* A child of the child. */
static inline void
must_in_child(void (*body)(void *argument), void *argument)
{
	pid_t child = fork();
	int status;

	must(child >= 0);
	if (child == 0)
		be_a_child(body, argument);
	must(waitpid(child, &status, 0) == child);
	must(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Made, used and ended. */
static inline void
must_work_anew(const struct rcu_flavor_struct *rcu)
{
	acre_pool_options options = {.rcu = rcu};
	acre_pool *pool = acre_pool_create(&options);

	must(pool != NULL);
	must_open_and_close(pool);
	if (!rcu)
		must_work(pool);
	must(acre_pool_destroy(pool) == 0);
}

/* ---- who waits for whom ---- */

/* The thread that forks, and how far it is. */
static atomic_int forking_tid;
static atomic_bool fork_is_over;

static inline void
note_fork_begins(void)
{
	fork_is_over = false;
	forking_tid = (int)syscall(SYS_gettid);
}

static inline void
note_fork_ends(void)
{
	forking_tid = 0;
	fork_is_over = true;
}

/* From now on, forks are noted; after the first pool was made, so that the
 * note comes before acre's own handler runs. */
static inline void
watch_forks(void)
{
	ck_assert_int_eq(
		pthread_atfork(note_fork_begins, note_fork_ends, NULL), 0);
}

/* Return when a thread waits in its fork, or is done with it: what should
 * have held it off has not. */
static inline void
await_waiting_fork(void)
{
	while (!fork_is_over && !(forking_tid && is_asleep(forking_tid)))
		sched_yield();
}

/* A thread that does something while the test goes on. `begun` is posted by
 * it when it holds what it is to hold. */
struct holder {
	void (*hold)(void *argument);
	void (*release)(void *argument);
	void *argument;
	pthread_t thread;
	sem_t begun;
};

static inline void
wait_for(sem_t *event)
{
	while (sem_wait(event))
		;
}

static inline void *
hold_until_forking(void *self)
{
	struct holder *holder = self;

	holder->hold(holder->argument);
	sem_post(&holder->begun);
	await_waiting_fork();
	holder->release(holder->argument);
	return NULL;
}

/* Hold something from before a fork until the fork waits. */
static inline void
holder_start(struct holder *holder)
{
	sem_init(&holder->begun, 0, 0);
	ck_assert_int_eq(pthread_create(&holder->thread, NULL,
				 hold_until_forking, holder), 0);
	wait_for(&holder->begun);
}

static inline void
holder_join(struct holder *holder)
{
	pthread_join(holder->thread, NULL);
	sem_destroy(&holder->begun);
}

#endif
