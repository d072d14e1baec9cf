/* SPDX-License-Identifier: MIT */
/*
 * lists.c - scenarios of the free lists: freelist.c, descriptor.c and grace.c.
 *
 * A token stands for a batch. A thread that holds one writes it, as it would
 * the batch's memory, without any atomic: so a token with two holders, or one
 * that came without what its last holder did, is a race.
 */
#include <string.h>

#include "explore/explore.h"
#include "explore/orders.h"
#include "lib/descriptor.h"
#include "lib/freelist.h"
#include "lib/grace.h"
#include "lib/helper.h"
#include "lib/rcu.h"

#define TOKENS 3

struct token {
	alignas(CACHE_LINE) char room[CACHE_LINE]; /* the overflow's */
	unsigned word; /* written by its holder */
};

static struct freelist list;
static struct overflow overflow;
static struct depot depot;
static struct stash stashes[THREADS_MOST];
static struct token tokens[TOKENS];

/* Who has a token, and one more; 0: it is in a list. */
static unsigned holders[TOKENS];

/* The helper is not part of this: a grace period is a thread's. */
void
helper_want(uint64_t needed)
{
	(void)needed;
}

void
helper_hurry(void)
{
}

static GHOST void
begin_to_hold(unsigned i, unsigned thread)
{
	if (i >= TOKENS)
		explore_fail("a batch from nowhere");
	if (holders[i])
		explore_fail("token %u has two holders, %u and %u", i,
			holders[i] - 1, thread);
	holders[i] = thread + 1;
}

static GHOST void
end_to_hold(unsigned i)
{
	holders[i] = 0;
}

/* ---- what threads do ---- */

static void
put(unsigned thread, struct token *token)
{
	struct batch batch = {
		.first = (struct block *)token, .count = 1, .linked = true};
	struct descriptor *descriptor =
		descriptor_get(&depot, &stashes[thread]);

	token->word++;
	end_to_hold((unsigned)(token - tokens));
	if (descriptor)
		freelist_push(&list, descriptor, &batch);
	else
		overflow_push(&overflow, &batch);
}

static struct token *
hold(unsigned thread, const struct batch *batch)
{
	struct token *token = (struct token *)batch->first;

	begin_to_hold((unsigned)(token - tokens), thread);
	if (batch->count != 1 || !batch->linked)
		explore_fail("a batch is not what was pushed");
	token->word++;
	return token;
}

/* From the list only; the descriptor cools. */
static struct token *
get(unsigned thread)
{
	struct descriptor *descriptor = freelist_pop(&list);
	struct batch batch;

	if (!descriptor)
		return NULL;
	batch = descriptor->batch;
	descriptor_cool(&depot, &stashes[thread], descriptor);
	return hold(thread, &batch);
}

static struct token *
get_overflowed(unsigned thread)
{
	struct batch batch;

	return overflow_pop(&overflow, &batch) ? hold(thread, &batch) : NULL;
}

static void
let_one_pass(void)
{
	grace_begin();
	grace_end();
}

static void
begin(void)
{
	depot_init(&depot);
	overflow_init(&overflow);
	for (unsigned i = 0; i < TOKENS; i++)
		holders[i] = THREADS_MOST;
}

/* The given number of descriptors for a thread, no more from memory. */
static void
begin_with(unsigned pushed)
{
	begin();
	for (unsigned i = 0; i < pushed; i++)
		put(0, &tokens[i]);
	stashes[0].ready = NULL;
	store_relaxed(&depot.most, 0);
}

/* Each token is in one place. */
static GHOST void
count_tokens(void)
{
	for (unsigned i = 0; i < TOKENS; i++)
		if (!holders[i])
			explore_fail("token %u is lost", i);
}

static void
end(void)
{
	while (get(0))
		;
	while (get_overflowed(0))
		;
	count_tokens();
}

/* ---- two push, one pops ---- */

static void
begin_pushes(void)
{
	begin();
	put(0, &tokens[0]);
	for (unsigned t = 1; t <= 2; t++) {
		stashes[t].ready = stashes[0].ready;
		stashes[0].ready = stashes[0].ready->link;
		stashes[t].ready->link = NULL;
	}
}

static void
push_second(void)
{
	put(1, &tokens[1]);
}

static void
push_third(void)
{
	put(2, &tokens[2]);
}

static void
pop_one(void)
{
	get(3);
}

static void
pop_two(void)
{
	get(3);
	get(3);
}

/* ---- ABA ---- */

static void
begin_two(void)
{
	begin_with(2);
}

static void
pop_slowly(void)
{
	get(1);
}

/* What it pushes is what it has popped, once that is allowed. */
static void
pop_twice_and_push(void)
{
	struct token *first = get(2);

	get(2);
	if (first)
		put(2, first);
}

static void
pop_and_push(void)
{
	struct token *first = get(2);

	if (first)
		put(2, first);
}

/* The same by way of the depot: another thread's descriptor. */
static void
pop_twice_and_end(void)
{
	get(2);
	get(2);
	stash_return(&depot, &stashes[2]);
}

static void
push_of_depot(void)
{
	put(3, &tokens[2]);
}

static void
begin_two_and_hold(void)
{
	begin_with(2);
	end_to_hold(2);
	begin_to_hold(2, 3);
}

/* ---- overflow ---- */

static void
begin_overflow(void)
{
	begin_with(0);
	put(0, &tokens[0]);
}

static void
pop_overflowed_and_push(void)
{
	struct token *token = get_overflowed(1);

	if (token)
		put(1, token);
}

static void
push_overflowed(void)
{
	put(2, &tokens[1]);
}

static void
pop_overflowed(void)
{
	get_overflowed(3);
}

/* ---- slabs ---- */

static void
push_with_new(void)
{
	put(1, &tokens[0]);
}

static void
push_with_new_too(void)
{
	put(2, &tokens[1]);
}

static void
end_with_slabs(void)
{
	end();
	depot_destroy(&depot);
}

/* ---- grace.h's promises, by themselves ---- */

static _Atomic(unsigned *) published;
static unsigned object;

static void
read_published(void)
{
	unsigned *p;

	rcu_enter();
	p = load_acquire(&published);
	if (p && *p != 1)
		explore_fail("an object that is read has changed");
	rcu_leave();
}

static void
unlink_and_reuse(void)
{
	uint64_t needed;

	object = 1;
	store_release(&published, &object);
	exchange_seq_cst(&published, NULL);
	needed = grace_needed();
	if (grace_elapsed(needed))
		object = 2;
}

const struct scenario scenarios[] = {
	{
		.name = "two_push_one_pops",
		.claim = "who pops has what was pushed",
		.begin = begin_pushes,
		.threads = {push_second, push_third, pop_one},
		.end = end,
		.spurious = 1,
	},
	{
		.name = "one_pushes_two_pop",
		.claim = "two that pop do not get the same",
		.begin = begin_pushes,
		.threads = {push_second, pop_slowly, pop_one},
		.end = end,
		.spurious = 1,
	},
	{
		.name = "pop_against_reuse",
		.claim = "a descriptor that comes back deceives no popper",
		.begin = begin_two,
		.threads = {pop_slowly, pop_twice_and_push, let_one_pass},
		.end = end,
	},
	{
		.name = "push_of_what_was_popped",
		.claim = "a token that goes round is not lost",
		.begin = begin_two,
		.threads = {pop_slowly, pop_and_push, let_one_pass},
		.end = end,
		.spurious = 1,
	},
	{
		.name = "reuse_by_another",
		.claim = "what a thread leaves behind deceives no popper",
		.begin = begin_two_and_hold,
		.threads = {pop_slowly, pop_twice_and_end, push_of_depot,
			let_one_pass},
		.end = end,
	},
	{
		.name = "overflow",
		.claim = "who pops from the overflow has what was pushed",
		.begin = begin_overflow,
		.threads = {pop_overflowed_and_push, push_overflowed,
			pop_overflowed},
		.end = end,
		.spurious = 1,
	},
	{
		.name = "slabs",
		.claim = "two that make slabs lose none",
		.begin = begin,
		.threads = {push_with_new, push_with_new_too, pop_two},
		.end = end_with_slabs,
	},
	{
		.name = "use_after_grace",
		.claim = "what readers did comes before the reuse",
		.threads = {read_published, unlink_and_reuse, let_one_pass},
	},
	{.name = NULL},
};

const char scenario_file[] = __FILE__;
const struct needs needs = {.grace = true, .barrier = true};

#define RETIRE "explore/retire needs it"

const struct stronger stronger[] = {
	{
		"make_slab", 1, "swap", "release", "relaxed",
		"slabs are read when all other threads are gone",
	},
	{"grace_begin", 1, "swap", "seq_cst", "acq_rel", RETIRE},
	{"grace_begin", 1, "swap", "seq_cst", "acquire", RETIRE},
	{"grace_begin", 1, "swap", "seq_cst", "release", RETIRE},
	{"grace_begin", 1, "swap", "seq_cst", "relaxed", RETIRE},
	{.function = NULL},
};
