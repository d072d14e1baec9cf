/* SPDX-License-Identifier: MIT */
/*
 * thread.c - what of pthread lib/ and the scenarios call, with ld --wrap.
 *
 * Threads are real ones, with thread-local storage of their own. A key's
 * destructors are called here, at a thread's end, where the scheduler still
 * knows the thread; pthreads has none to call.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "schedule/schedule.h"

#define MUTEXES_MOST 256
#define KEYS_MOST 8
#define ROUNDS_MOST 4 /* of destructors, as PTHREAD_DESTRUCTOR_ITERATIONS */

/* ---- mutexes: known by their address ---- */

struct mutex {
	const void *address;
	bool held;
};

static struct mutex mutexes[MUTEXES_MOST];

static struct mutex *
find(const void *address)
{
	for (int i = 0; i < MUTEXES_MOST; i++) {
		if (!mutexes[i].address)
			mutexes[i].address = address;
		if (mutexes[i].address == address)
			return &mutexes[i];
	}
	schedule_fail("more than %d mutexes", MUTEXES_MOST);
}

static bool
is_free(const void *mutex)
{
	return !((const struct mutex *)mutex)->held;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *address);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *address);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *address);

int
__wrap_pthread_mutex_lock(pthread_mutex_t *address)
{
	struct mutex *mutex = find(address);

	if (!scheduler_is_on())
		return 0;
	scheduler_wait(is_free, mutex, 0);
	mutex->held = true;
	return 0;
}

int
__wrap_pthread_mutex_trylock(pthread_mutex_t *address)
{
	struct mutex *mutex = find(address);

	scheduler_point();
	if (mutex->held)
		return EBUSY;
	mutex->held = true;
	return 0;
}

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *address)
{
	scheduler_point();
	find(address)->held = false;
	return 0;
}

/* ---- conditions ---- */

struct waiter {
	const void *condition; /* NULL: none, or it was signalled */
};

static struct waiter waiters[TASKS_MOST];

static bool
was_signalled(const void *waiter)
{
	return !((const struct waiter *)waiter)->condition;
}

static int
wait_for(pthread_cond_t *condition, pthread_mutex_t *address, uint64_t limit)
{
	struct waiter *waiter = &waiters[scheduler_me()];
	bool signalled;

	waiter->condition = condition;
	find(address)->held = false;
	signalled = scheduler_wait(was_signalled, waiter, limit);
	waiter->condition = NULL;
	__wrap_pthread_mutex_lock(address);
	return signalled ? 0 : ETIMEDOUT;
}

static int
wake(const pthread_cond_t *condition, unsigned most)
{
	scheduler_point();
	for (unsigned i = 0; i < TASKS_MOST && most; i++) {
		if (waiters[i].condition != condition)
			continue;
		waiters[i].condition = NULL;
		most--;
	}
	return 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition,
	pthread_mutex_t *address);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition,
	pthread_mutex_t *address, const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_sched_yield(void);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = (time_t)(scheduler_now() / 1000000);
	now->tv_nsec = (long)(scheduler_now() % 1000000) * 1000;
	return 0;
}

int
__wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *address)
{
	return wait_for(condition, address, 0);
}

int
__wrap_pthread_cond_timedwait(pthread_cond_t *condition,
	pthread_mutex_t *address, const struct timespec *until)
{
	uint64_t then = (uint64_t)until->tv_sec * 1000000 +
		(uint64_t)until->tv_nsec / 1000;
	uint64_t now = scheduler_now();

	return wait_for(condition, address, then > now ? then - now : 1);
}

int
__wrap_pthread_cond_signal(pthread_cond_t *condition)
{
	return wake(condition, 1);
}

int
__wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
	return wake(condition, TASKS_MOST);
}

int
__wrap_sched_yield(void)
{
	scheduler_yield();
	return 0;
}

/* ---- keys ---- */

static void (*destructors[KEYS_MOST])(void *value);
static unsigned key_count;
static _Thread_local void *values[KEYS_MOST];

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);

int
__wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	if (key_count == KEYS_MOST)
		return EAGAIN;
	destructors[key_count] = destructor;
	*key = key_count++;
	return 0;
}

int
__wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
	values[key] = (void *)value;
	return 0;
}

static void
destroy_values(void)
{
	for (int round = 0; round < ROUNDS_MOST; round++) {
		for (unsigned key = 0; key < key_count; key++) {
			void *value = values[key];

			values[key] = NULL;
			if (value && destructors[key])
				destructors[key](value);
		}
	}
}

/* ---- threads ---- */

struct thread {
	pthread_t handle;
	unsigned task;
	void *(*body)(void *);
	void *argument;
};

static struct thread threads[TASKS_MOST];

int __real_pthread_create(pthread_t *handle, const pthread_attr_t *attributes,
	void *(*body)(void *), void *argument);
int __real_pthread_join(pthread_t handle, void **result);
int __wrap_pthread_create(pthread_t *handle, const pthread_attr_t *attributes,
	void *(*body)(void *), void *argument);
int __wrap_pthread_join(pthread_t handle, void **result);

static void *
run_thread(void *argument)
{
	struct thread *thread = argument;
	void *result;

	scheduler_enter(thread->task);
	result = thread->body(thread->argument);
	destroy_values();
	scheduler_leave();
	return result;
}

int
__wrap_pthread_create(pthread_t *handle, const pthread_attr_t *attributes,
	void *(*body)(void *), void *argument)
{
	unsigned task = scheduler_add();
	struct thread *thread = &threads[task];

	*thread = (struct thread){
		.task = task, .body = body, .argument = argument};
	if (__real_pthread_create(&thread->handle, attributes, run_thread,
		    thread))
		schedule_fail("no thread");
	*handle = thread->handle;
	scheduler_point();
	return 0;
}

static bool
has_left(const void *thread)
{
	return scheduler_has_left(((const struct thread *)thread)->task);
}

int
__wrap_pthread_join(pthread_t handle, void **result)
{
	for (int i = TASKS_MOST; i-- > 0;) {
		if (!threads[i].body ||
			!pthread_equal(threads[i].handle, handle))
			continue;
		scheduler_wait(has_left, &threads[i], 0);
		return __real_pthread_join(handle, result);
	}
	return ESRCH;
}
