/* SPDX-License-Identifier: MIT */
/*
 * turns.c - a baton that goes round.
 */
#include "bench/turns.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST 256

struct turn {
	pthread_t thread;
	sem_t baton;
	bool done; /* of this round */
};

static struct {
	unsigned count;
	struct turn turns[MOST];
	sem_t all_done;
	turns_work *work; /* NULL: the end */
	void *argument;
	bool in_step;
} ring;

static _Thread_local unsigned me; /* and one more; 0: none of them */

static void
take(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		;
}

/* The next after thread that is not done; the same when there is no other. */
static unsigned
next_of(unsigned thread)
{
	unsigned next = thread;

	do
		next = (next + 1) % ring.count;
	while (ring.turns[next].done && next != thread);
	return next;
}

static void
pass_on(unsigned thread)
{
	unsigned next = next_of(thread);

	sem_post(next == thread ? &ring.all_done : &ring.turns[next].baton);
}

static void *
run(void *argument)
{
	unsigned thread = (unsigned)(size_t)argument;

	me = thread + 1;
	for (;;) {
		take(&ring.turns[thread].baton);
		if (ring.work == NULL)
			return NULL;
		ring.work(thread, ring.argument);
		ring.turns[thread].done = true;
		pass_on(thread);
	}
}

void
turns_begin(unsigned threads)
{
	ring.count = threads;
	sem_init(&ring.all_done, 0, 0);
	for (unsigned i = 0; i < threads; i++) {
		struct turn *turn = &ring.turns[i];

		sem_init(&turn->baton, 0, 0);
		if (pthread_create(&turn->thread, NULL, run,
			    (void *)(size_t)i) != 0) {
			perror("turns");
			exit(1);
		}
	}
}

void
turns_end(void)
{
	ring.work = NULL;
	for (unsigned i = 0; i < ring.count; i++) {
		sem_post(&ring.turns[i].baton);
		pthread_join(ring.turns[i].thread, NULL);
		sem_destroy(&ring.turns[i].baton);
	}
	sem_destroy(&ring.all_done);
}

void
turns_round(turns_work *work, void *argument, bool in_step)
{
	ring.work = work;
	ring.argument = argument;
	ring.in_step = in_step;
	for (unsigned i = 0; i < ring.count; i++)
		ring.turns[i].done = false;
	sem_post(&ring.turns[0].baton);
	take(&ring.all_done);
}

void
turns_yield(void)
{
	unsigned thread = me - 1;
	unsigned next;

	if (me == 0 || !ring.in_step)
		return;
	next = next_of(thread);
	if (next == thread)
		return;
	sem_post(&ring.turns[next].baton);
	take(&ring.turns[thread].baton);
}

unsigned
turns_me(unsigned nobody)
{
	return me == 0 ? nobody : me - 1;
}
