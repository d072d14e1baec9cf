/* SPDX-License-Identifier: MIT */
/*
 * actors.c - threads in lock-step.
 */
#include "fuzz/actors.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>

static struct actor {
	pthread_t thread;
	bool runs;
	sem_t begin, done;
	void (*fn)(void *); /* NULL: end */
	void *arg;
} actors[ACTORS];

/* libFuzzer has a timer, whose signals interrupt. */
static void
wait_for(sem_t *event)
{
	while (sem_wait(event))
		;
}

static void *
act(void *argument)
{
	struct actor *actor = argument;

	for (;;) {
		wait_for(&actor->begin);
		if (!actor->fn)
			return NULL;
		actor->fn(actor->arg);
		sem_post(&actor->done);
	}
}

static void
begin(struct actor *actor)
{
	sem_init(&actor->begin, 0, 0);
	sem_init(&actor->done, 0, 0);
	if (pthread_create(&actor->thread, NULL, act, actor))
		abort();
	actor->runs = true;
}

void
actor_run(unsigned number, void (*fn)(void *), void *arg)
{
	struct actor *actor = &actors[number];

	if (number == 0) {
		fn(arg);
		return;
	}
	if (!actor->runs)
		begin(actor);
	actor->fn = fn;
	actor->arg = arg;
	sem_post(&actor->begin);
	wait_for(&actor->done);
}

void
actor_end(unsigned number)
{
	struct actor *actor = &actors[number];

	if (!actor->runs)
		return;
	actor->fn = NULL;
	sem_post(&actor->begin);
	pthread_join(actor->thread, NULL);
	sem_destroy(&actor->begin);
	sem_destroy(&actor->done);
	actor->runs = false;
}
