/* SPDX-License-Identifier: MIT */
/*
 * crowd.c - residents, visitors and children: who does steps, and when.
 */
#include "stress/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress/actor.h"

#define VISIT_STEPS 200  /* at most */
#define VISIT_EVERY 50   /* steps of a resident, on average */
#define FORK_EVERY 2000  /* the same */
#define CHILD_STEPS 60
#define CHILD_SECONDS 15 /* before a child counts as hung */

struct resident {
	struct actor actor;
	pthread_t thread;
	struct actor visitor;
	pthread_t visitor_thread;
	bool visited;
};

acre_pool *crowd_pools[POOLS];
acre_pool_options crowd_options[POOLS];
acre_budget *crowd_budget;

static struct resident *residents;

/* Held for reading in each step, for writing by who stops all. */
static pthread_rwlock_t gate;

/* ---- steps ---- */

static void
step(struct actor *a)
{
	pthread_rwlock_rdlock(&gate);
	actor_step(a);
	pthread_rwlock_unlock(&gate);
}

/* Outside of a step. */
static void
count(uint64_t *what)
{
	pthread_rwlock_rdlock(&gate);
	++*what;
	pthread_rwlock_unlock(&gate);
}

static void
leave(struct actor *a)
{
	pthread_rwlock_rdlock(&gate);
	actor_leave(a);
	pthread_rwlock_unlock(&gate);
}

static void *
visit(void *visitor)
{
	struct actor *a = visitor;

	actor_begin(a);
	for (size_t n = chance_below(&a->chance, VISIT_STEPS); n; n--)
		step(a);
	leave(a);
	return NULL;
}

static void
see_off(struct resident *r)
{
	if (r->visited)
		pthread_join(r->visitor_thread, NULL);
	r->visited = false;
}

static void
have_visitor(struct resident *r)
{
	see_off(r);
	count(&r->actor.totals.visits);
	stress_thread(&r->visitor_thread, visit, &r->visitor);
	r->visited = true;
}

/* ---- forks ---- */

/* Others had regions open at the fork, or not. */
static void
end_in_child(struct actor *a)
{
	crowd_wait_for_limbo();
	if (load_acquire(&a->cleaned) != a->totals.retired)
		stress_fail("in a child: not each cleanup has run once");
	actor_leave(a);
	for (unsigned i = 0; i < POOLS; i++) {
		int error = acre_pool_destroy(crowd_pools[i]);

		if (error && error != EBUSY)
			stress_fail("in a child: %s", strerror(error));
	}
}

static _Noreturn void
be_a_child(struct actor *a)
{
	alarm(CHILD_SECONDS);
	/* From now on, stress_goes_on() but after a failure. */
	stress.seconds += 1000000;
	for (unsigned i = 0; i < CHILD_STEPS && stress_goes_on(); i++)
		actor_step(a);
	end_in_child(a);
	_exit(stress_goes_on() ? 0 : 1);
}

static void
fork_one(struct actor *a)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		be_a_child(a);
	count(&a->totals.forks);
	if (child < 0)
		stress_fail("no fork: %s", strerror(errno));
	else if (waitpid(child, &status, 0) != child || status)
		stress_fail("a child ended with status %#x", (unsigned)status);
}

static void *
reside(void *resident)
{
	struct resident *r = resident;
	struct actor *a = &r->actor;

	actor_begin(a);
	while (stress_goes_on()) {
		step(a);
		if (chance_once_in(&a->chance, VISIT_EVERY))
			have_visitor(r);
		if (!SANITIZED && chance_once_in(&a->chance, FORK_EVERY))
			fork_one(a);
	}
	see_off(r);
	leave(a);
	return NULL;
}

/* ---- all of them ---- */

void
crowd_wait_for_limbo(void)
{
	for (unsigned i = 0; i < POOLS; i++)
		if (acre_pool_barrier(crowd_pools[i]))
			stress_fail("no barrier");
}

static struct actor *
actor(unsigned i)
{
	return i % 2 ? &residents[i / 2].visitor : &residents[i / 2].actor;
}

unsigned
crowd_size(void)
{
	return 2 * stress.threads;
}

void
crowd_stop(void)
{
	pthread_rwlock_wrlock(&gate);
}

void
crowd_go_on(void)
{
	pthread_rwlock_unlock(&gate);
}

void
crowd_count(struct crowd_count *count)
{
	*count = (struct crowd_count){0};
	for (unsigned i = 0; i < crowd_size(); i++)
		actor_count(actor(i), count);
	for (unsigned i = 0; i < POOLS; i++)
		count->pools[i].peak = actors_peak(i);
}

static void
make_pools(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	crowd_options[DECAYS] = (acre_pool_options){
		.name = "decays",
		.chunk_size = 256 * page,
		.cache_bytes = 256 * page,
		.keep_bytes = 256 * page,
		.decay_ms = 200,
	};
	crowd_options[LIMITED] = (acre_pool_options){
		.name = "limited",
		.chunk_size = 32 * page,
		.max_bytes = stress.threads * 48 * page,
		.cache_bytes = 16 * page,
		.on_limit = actor_make_room,
	};
	crowd_options[TRIMMED] = (acre_pool_options){
		.name = "trimmed",
		.source = &acre_mmap_allocator,
		.chunk_size = 64 * page,
		.cache_bytes = 64 * page,
	};
	for (unsigned i = 0; i < POOLS; i++) {
		crowd_options[i].limbo_bytes = CROWD_LIMBO_BYTES;
		crowd_pools[i] = acre_pool_create(&crowd_options[i]);
		if (!crowd_pools[i])
			stress_fail("no pool: %s",
				acre_pool_explain(&crowd_options[i]));
	}
	crowd_budget = acre_budget_create(NULL, stress.threads * 64 * page);
	if (!crowd_budget)
		stress_fail("no budget");
}

static void
make_gate(void)
{
	pthread_rwlockattr_t writers_first;

	pthread_rwlockattr_init(&writers_first);
	pthread_rwlockattr_setkind_np(&writers_first,
		PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&gate, &writers_first);
	pthread_rwlockattr_destroy(&writers_first);
}

void
crowd_begin(void)
{
	make_gate();
	make_pools();
	residents = stress_malloc(stress.threads * sizeof(*residents));
	memset(residents, 0, stress.threads * sizeof(*residents));
	for (unsigned i = 0; i < crowd_size(); i++) {
		actor(i)->number = i;
		actor(i)->chance = chance_of(i);
	}
	for (unsigned i = 0; i < stress.threads; i++)
		stress_thread(&residents[i].thread, reside, &residents[i]);
}

void
crowd_end(void)
{
	for (unsigned i = 0; i < stress.threads; i++)
		pthread_join(residents[i].thread, NULL);
	actors_clear(actor(0));
}
