/* SPDX-License-Identifier: MIT */
/*
 * actor.h - a second thread that does what a test tells it, one thing at a
 * time: so that who is inside a read-side section is a matter of events.
 */
#ifndef ACRE_TESTS_ACTOR_H
#define ACRE_TESTS_ACTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct actor {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*task)(void *argument); /* NULL: none */
	void *argument;
	bool ended;
};

static void *
actor_main(void *self)
{
	struct actor *actor = self;

	pthread_mutex_lock(&actor->lock);
	for (;;) {
		while (!actor->task && !actor->ended)
			pthread_cond_wait(&actor->changed, &actor->lock);
		if (!actor->task)
			break;
		pthread_mutex_unlock(&actor->lock);
		actor->task(actor->argument);
		pthread_mutex_lock(&actor->lock);
		actor->task = NULL;
		pthread_cond_broadcast(&actor->changed);
	}
	pthread_mutex_unlock(&actor->lock);
	return NULL;
}

static inline void
actor_start(struct actor *actor)
{
	*actor = (struct actor){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	if (pthread_create(&actor->thread, NULL, actor_main, actor))
		abort();
}

/* Have it begin with task, or wait until it is done with what it was told. */
static inline void
actor_begin(struct actor *actor, void (*task)(void *), void *argument)
{
	pthread_mutex_lock(&actor->lock);
	actor->task = task;
	actor->argument = argument;
	pthread_cond_broadcast(&actor->changed);
	pthread_mutex_unlock(&actor->lock);
}

static inline void
actor_await(struct actor *actor)
{
	pthread_mutex_lock(&actor->lock);
	while (actor->task)
		pthread_cond_wait(&actor->changed, &actor->lock);
	pthread_mutex_unlock(&actor->lock);
}

static inline void
actor_do(struct actor *actor, void (*task)(void *), void *argument)
{
	actor_begin(actor, task, argument);
	actor_await(actor);
}

/* Its thread ends, and is joined. */
static inline void
actor_end(struct actor *actor)
{
	pthread_mutex_lock(&actor->lock);
	actor->ended = true;
	pthread_cond_broadcast(&actor->changed);
	pthread_mutex_unlock(&actor->lock);
	pthread_join(actor->thread, NULL);
}

#endif
