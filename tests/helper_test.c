/* SPDX-License-Identifier: MIT */
/* helper_test.c - the helper comes when needed and goes with the pools. */
#include "lib/helper.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/grace.h"
#include "tests/suite.h"

/* How many threads of this name the process has. */
static int
count_threads(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	int count = 0;

	ck_assert_ptr_nonnull(tasks);
	while ((task = readdir(tasks))) {
		char path[300], comm[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			task->d_name);
		file = fopen(path, "r");
		if (file && fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = '\0';
		if (file)
			fclose(file);
		count += !strcmp(comm, name);
	}
	closedir(tasks);
	return count;
}

/* Returns when needed has elapsed; the suite's time limit is the check. */
static void
wait_for(uint64_t needed)
{
	while (!grace_elapsed(needed))
		sched_yield();
}

START_TEST(a_request_is_served_without_a_grace_period_in_the_caller)
{
	uint64_t needed = grace_needed();

	helper_retain();
	helper_want(needed);
	wait_for(needed);
	ck_assert_int_eq(count_threads("acre-helper"), 1);
	helper_release();
}
END_TEST

START_TEST(no_helper_before_a_request_and_none_after_the_last_pool)
{
	uint64_t needed = grace_needed();

	helper_retain();
	helper_retain();
	ck_assert_int_eq(count_threads("acre-helper"), 0);
	helper_want(needed);
	wait_for(needed);
	helper_release();
	ck_assert_int_eq(count_threads("acre-helper"), 1);
	helper_release();
	ck_assert_int_eq(count_threads("acre-helper"), 0);
}
END_TEST

START_TEST(it_comes_again_after_it_was_gone)
{
	for (int i = 0; i < 20; i++) {
		uint64_t needed = grace_needed();

		helper_retain();
		helper_want(needed);
		wait_for(needed);
		helper_release();
	}
	ck_assert_int_eq(count_threads("acre-helper"), 0);
}
END_TEST

START_TEST(a_request_wakes_a_sleeping_helper)
{
	helper_retain();
	for (int i = 0; i < 3; i++) {
		uint64_t needed = grace_needed();

		helper_want(needed);
		wait_for(needed);
		/* Until it sleeps, or is gone: both must be woken from. */
		while (!helper_is_dormant())
			sched_yield();
	}
	helper_release();
}
END_TEST

static volatile sig_atomic_t caught_by_main;
static pthread_t main_thread;

static void
note_thread(int signal)
{
	(void)signal;
	caught_by_main = pthread_equal(pthread_self(), main_thread) ? 1 : -1;
}

START_TEST(signals_stay_the_applications)
{
	uint64_t needed = grace_needed();
	sigset_t set, old, after;

	main_thread = pthread_self();
	signal(SIGUSR1, note_thread);
	helper_retain();
	pthread_sigmask(SIG_SETMASK, NULL, &old);
	helper_want(needed);
	wait_for(needed);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int i = 1; i < NSIG; i++)
		ck_assert_int_eq(sigismember(&old, i), sigismember(&after, i));
	/* With main's blocked, only the helper could take it; it must not. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	needed = grace_needed();
	helper_want(needed);
	wait_for(needed);
	ck_assert_int_eq(caught_by_main, 0);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ck_assert_int_eq(caught_by_main, 1);
	helper_release();
}
END_TEST

SUITE("helper", a_request_is_served_without_a_grace_period_in_the_caller,
	no_helper_before_a_request_and_none_after_the_last_pool,
	it_comes_again_after_it_was_gone, a_request_wakes_a_sleeping_helper,
	signals_stay_the_applications)
