/* SPDX-License-Identifier: MIT */
/*
 * thread.c - what of pthread lib/ calls, with ld --wrap.
 *
 * A mutex is known by its address; who locks it knows all that its last
 * holder knew. Nobody is woken without reason. A wait until a time ends when
 * it likes if that is near; one for LINGER or more lasts until a signal: a
 * scenario is over sooner.
 */
#include "explore/engine.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUTEXES_MOST 16
#define LINGER 1 /* seconds */
#define ARENA ((size_t)64 << 10)

struct mutex {
	const void *address;
	bool held;
	struct view view; /* of who held it last */
};

struct waiter {
	const void *condition; /* NULL: it does not wait, or was signalled */
	struct mutex *mutex;
	bool forever;
};

static struct threads {
	struct mutex mutexes[MUTEXES_MOST];
	int count;
	struct waiter waiters[THREADS_MOST];
	void (*at_end)(void *value); /* there is one key */
	size_t used;
	char *arena;
} *threads;

void
thread_init(void)
{
	threads = engine_alloc(sizeof(*threads));
	threads->arena = engine_alloc(ARENA);
}

void
thread_reset(void)
{
	threads->count = 0;
	memset(threads->waiters, 0, sizeof(threads->waiters));
	memset(threads->arena, 0, threads->used);
	threads->used = 0;
}

static struct mutex *
find(const void *address)
{
	for (int i = 0; i < threads->count; i++)
		if (threads->mutexes[i].address == address)
			return &threads->mutexes[i];
	if (threads->count == MUTEXES_MOST)
		engine_limit("more than %d mutexes", MUTEXES_MOST);
	threads->mutexes[threads->count] = (struct mutex){.address = address};
	return &threads->mutexes[threads->count++];
}

static bool
is_free(const void *mutex)
{
	return !((const struct mutex *)mutex)->held;
}

static void
take(struct mutex *mutex)
{
	mutex->held = true;
	view_join(memory_view(engine_thread()), &mutex->view);
}

static void
give(struct mutex *mutex)
{
	memory_tick();
	mutex->view = *memory_view(engine_thread());
	mutex->held = false;
	memory_tick();
}

/* ---- mutexes ---- */

int __wrap_pthread_mutex_init(pthread_mutex_t *address, const void *unused);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *address);
int __wrap_pthread_mutex_lock(pthread_mutex_t *address);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *address);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *address);

int
__wrap_pthread_mutex_init(pthread_mutex_t *address, const void *unused)
{
	(void)address;
	(void)unused;
	return 0;
}

int
__wrap_pthread_mutex_destroy(pthread_mutex_t *address)
{
	(void)address;
	return 0;
}

int
__wrap_pthread_mutex_lock(pthread_mutex_t *address)
{
	struct mutex *mutex = find(address);

	engine_step((struct step){LOCK, address, is_free, mutex, "lock"});
	take(mutex);
	engine_note(NULL, "lock %p", (void *)address);
	return 0;
}

int
__wrap_pthread_mutex_trylock(pthread_mutex_t *address)
{
	struct mutex *mutex = find(address);

	engine_step((struct step){
		.kind = LOCK, .what = address, .name = "trylock"});
	engine_note(NULL, "trylock %p%s", (void *)address,
		mutex->held ? ", in vain" : "");
	if (mutex->held)
		return EBUSY;
	take(mutex);
	return 0;
}

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *address)
{
	engine_step((struct step){
		.kind = LOCK, .what = address, .name = "unlock"});
	give(find(address));
	engine_note(NULL, "unlock %p", (void *)address);
	return 0;
}

/* ---- conditions ---- */

int __wrap_pthread_cond_init(pthread_cond_t *condition, const void *unused);
int __wrap_pthread_cond_wait(pthread_cond_t *condition,
	pthread_mutex_t *address);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition,
	pthread_mutex_t *address, const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){0};
	return 0;
}

int
__wrap_pthread_cond_init(pthread_cond_t *condition, const void *unused)
{
	(void)condition;
	(void)unused;
	return 0;
}

static bool
may_wake(const void *argument)
{
	const struct waiter *waiter = argument;

	return !waiter->mutex->held &&
		(!waiter->condition || !waiter->forever);
}

static int
wait_for(pthread_cond_t *condition, pthread_mutex_t *address, bool forever,
	bool may_sleep)
{
	struct waiter *waiter = &threads->waiters[engine_thread()];
	bool signalled;

	engine_step((struct step){
		.kind = LOCK, .what = address, .name = "wait"});
	*waiter = (struct waiter){condition, find(address), forever};
	give(waiter->mutex);
	engine_note(NULL, "wait for %p", (void *)condition);
	engine_may_sleep(may_sleep);
	engine_step((struct step){LOCK, address, may_wake, waiter, "a wait"});
	engine_may_sleep(false);
	signalled = !waiter->condition;
	waiter->condition = NULL;
	take(waiter->mutex);
	engine_note(NULL, signalled ? "woken" : "the time is up");
	return signalled ? 0 : ETIMEDOUT;
}

int
__wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *address)
{
	return wait_for(condition, address, true, false);
}

int
__wrap_pthread_cond_timedwait(pthread_cond_t *condition,
	pthread_mutex_t *address, const struct timespec *until)
{
	bool lingers = until->tv_sec >= LINGER;

	return wait_for(condition, address, lingers, lingers);
}

static int
wake(const pthread_cond_t *condition, unsigned most)
{
	engine_step((struct step){.kind = LOCK, .name = "signal"});
	for (unsigned t = 0; t < THREADS_MOST && most; t++) {
		if (threads->waiters[t].condition != condition)
			continue;
		threads->waiters[t].condition = NULL;
		most--;
	}
	engine_note(NULL, "signal %p", (const void *)condition);
	return 0;
}

int
__wrap_pthread_cond_signal(pthread_cond_t *condition)
{
	return wake(condition, 1);
}

int
__wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
	return wake(condition, THREADS_MOST);
}

/* ---- threads ---- */

int __wrap_pthread_create(pthread_t *thread, const void *unused,
	void *(*body)(void *), void *argument);
int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_detach(pthread_t thread);
int __wrap_pthread_setname_np(pthread_t thread, const char *name);
int __wrap_pthread_sigmask(int how, const void *set, void *old);

int
__wrap_pthread_create(pthread_t *thread, const void *unused,
	void *(*body)(void *), void *argument)
{
	(void)unused;
	engine_step((struct step){.kind = LOCK, .name = "create"});
	*thread = engine_create(body, argument);
	engine_note(NULL, "create %u", (unsigned)*thread);
	return 0;
}

static bool
has_ended(const void *fibre)
{
	return engine_has_ended((unsigned)(uintptr_t)fibre);
}

int
__wrap_pthread_join(pthread_t thread, void **result)
{
	engine_step((struct step){LOCK, NULL, has_ended,
		(const void *)(uintptr_t)thread, "join"});
	view_join(memory_view(engine_thread()), memory_view((unsigned)thread));
	if (result)
		*result = engine_result((unsigned)thread);
	return 0;
}

int
__wrap_pthread_detach(pthread_t thread)
{
	(void)thread;
	return 0;
}

int
__wrap_pthread_setname_np(pthread_t thread, const char *name)
{
	(void)thread;
	(void)name;
	return 0;
}

int
__wrap_pthread_sigmask(int how, const void *set, void *old)
{
	(void)how;
	(void)set;
	(void)old;
	return 0;
}

/* ---- keys ---- */

int __wrap_pthread_key_create(pthread_key_t *key, void (*at_end)(void *));
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);

int
__wrap_pthread_key_create(pthread_key_t *key, void (*at_end)(void *))
{
	*key = 0;
	threads->at_end = at_end;
	return 0;
}

int
__wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
	(void)key;
	(void)value;
	return 0;
}

unsigned
explore_thread(void)
{
	return engine_thread();
}

void
explore_end_thread(void)
{
	threads->at_end(NULL);
}

/* ---- memory: the same addresses in each execution ---- */

void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
void __wrap_free(void *p);

void *
__wrap_aligned_alloc(size_t align, size_t size)
{
	size_t at = (threads->used + align - 1) & ~(align - 1);

	if (at + size > ARENA)
		return NULL;
	threads->used = at + size;
	return threads->arena + at;
}

/* The arena is zero. */
void *
__wrap_calloc(size_t count, size_t size)
{
	return __wrap_aligned_alloc(sizeof(max_align_t), count * size);
}

void
__wrap_free(void *p)
{
	(void)p;
}
