/* SPDX-License-Identifier: MIT */
/*
 * aba.c - the free list's own stress, straight on freelist.h.
 *
 * A handful of tokens stand for batches. Threads pop some, hold them for a
 * moment, and push them back in another order, so that the same few
 * descriptors come and go as fast as can be. Between a popper's read of next
 * and its compare-and-swap the probe lets other threads in: that is when a
 * list that breaks the rule of freelist.c gives one token to two threads, or
 * loses one.
 *
 * Built from the library's sources with ACRE_PROBES; built with
 * ACRE_PROBE_SKIP_GRACE too it breaks the rule, and must fail.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>

#include "lib/descriptor.h"
#include "lib/freelist.h"
#include "lib/helper.h"
#include "lib/probe.h"
#include "stress/common.h"

#define TOKENS 6
#define HELD 3 /* by a thread at a time, at most */
#define RETURN_EVERY 5000

/* Holders write `last` without any atomic, so ThreadSanitizer sees whether
 * the list orders one holder after the other. */
struct token {
	alignas(CACHE_LINE) char room[CACHE_LINE]; /* the overflow's */
	_Atomic(unsigned) holder;                  /* 0: none */
	unsigned last;
};

struct worker {
	pthread_t thread;
	unsigned number; /* from 1 */
	struct chance chance;
	struct stash stash;
	struct token *held[HELD];
	uint64_t pops;
};

static struct freelist list;
static struct overflow overflow;
static struct depot depot;
static struct token tokens[TOKENS];

static _Thread_local struct chance window;

/* Mostly nothing; sometimes long enough for others to go round. */
void
probe_pop_window(void)
{
	size_t what = chance_below(&window, 16);

	if (what == 0)
		sched_yield();
	else if (what == 1)
		for (size_t n = chance_below(&window, 1000); n; n--)
			chance_next(&window);
}

static void
put(struct worker *w, struct token *token)
{
	struct batch batch = {.first = (struct block *)token, .count = 1};
	struct descriptor *descriptor = descriptor_get(&depot, &w->stash);

	token->last = w->number;
	store_relaxed(&token->holder, 0);
	if (descriptor)
		freelist_push(&list, descriptor, &batch);
	else
		overflow_push(&overflow, &batch);
}

static struct token *
get(struct worker *w)
{
	struct descriptor *descriptor = freelist_pop(&list);
	struct batch batch = {0};
	struct token *token;
	unsigned other;

	if (descriptor) {
		batch = descriptor->batch;
		descriptor_cool(&depot, &w->stash, descriptor);
	} else if (!overflow_pop(&overflow, &batch)) {
		return NULL;
	}
	token = (struct token *)batch.first;
	other = exchange_relaxed(&token->holder, w->number);
	if (other)
		stress_fail("token %td has two holders, %u and %u",
			token - tokens, other, w->number);
	token->last = w->number;
	w->pops++;
	return token;
}

/* Fill one place among those held, or empty it. */
static void
step(struct worker *w)
{
	size_t i = chance_below(&w->chance, HELD);

	if (w->held[i]) {
		put(w, w->held[i]);
		w->held[i] = NULL;
	} else {
		w->held[i] = get(w);
	}
	if (chance_once_in(&w->chance, RETURN_EVERY))
		stash_return(&depot, &w->stash);
}

static void *
work(void *argument)
{
	struct worker *w = argument;

	window = chance_of(1000 + w->number);
	while (stress_goes_on())
		step(w);
	for (size_t i = 0; i < HELD; i++)
		if (w->held[i])
			put(w, w->held[i]);
	stash_return(&depot, &w->stash);
	return NULL;
}

/* Every token is in the list or the overflow, once. */
static void
check_tokens(struct worker *w)
{
	unsigned count = 0;

	while (count <= TOKENS && get(w))
		count++;
	if (count != TOKENS)
		stress_fail("%u tokens at the end, not %u", count, TOKENS);
	stash_return(&depot, &w->stash);
}

/* Every descriptor is in the depot, as the list is empty. */
static void
check_descriptors(void)
{
	size_t made = load_relaxed(&depot.made);
	size_t count = 0;

	for (struct descriptor *c = depot.oldest; c; c = c->chain)
		for (struct descriptor *d = c; d && count <= made; d = d->link)
			count++;
	if (count != made)
		stress_fail("%zu descriptors at the end, not %zu", count,
			made);
}

static void
run(struct worker *workers)
{
	struct worker *first = &workers[0];

	*first = (struct worker){.number = 1};
	for (unsigned i = 0; i < TOKENS; i++)
		put(first, &tokens[i]);
	for (unsigned i = 0; i < stress.threads; i++) {
		struct worker *w = &workers[i];

		if (w != first)
			*w = (struct worker){.number = i + 1};
		w->chance = chance_of(w->number);
		stress_thread(&w->thread, work, w);
	}
	for (unsigned i = 0; i < stress.threads; i++)
		pthread_join(workers[i].thread, NULL);
	check_tokens(first);
	check_descriptors();
}

int
main(int argc, char **argv)
{
	struct worker *workers;
	uint64_t pops = 0;
	size_t made;

	stress_begin(argc, argv,
		"Threads pop and push the same few batches of one free list.",
		4, false);
	depot_init(&depot);
	overflow_init(&overflow);
	helper_retain();
	workers = stress_malloc(stress.threads * sizeof(*workers));
	run(workers);
	for (unsigned i = 0; i < stress.threads; i++)
		pops += workers[i].pops;
	made = load_relaxed(&depot.made);
	free(workers);
	helper_release();
	overflow_destroy(&overflow);
	depot_destroy(&depot);
	return stress_end("%" PRIu64 " pops, %zu descriptors", pops, made);
}
