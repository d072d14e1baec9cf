/* SPDX-License-Identifier: MIT */
/*
 * budget.c - threads fill regions within limits that they share.
 *
 *   root <-+- listener <-+- a        each node may have budgets of single
 *          |             +- b        threads below it, made and destroyed
 *          +- c                      as the run goes
 *          +- crowd
 *
 * Two claims are held. No budget is ever exceeded: the program itself adds up
 * what its regions hold, after each success and before each end, so that its
 * sums are never more than what is held, and none may be over a limit. And
 * nothing is refused that has room: in the crowd some try for what the root
 * always refuses, and others, for whom there is always room, never fail; and
 * in each round all threads meet, and every budget is filled to the byte.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/atomic.h"
#include "lib/probe.h"
#include "stress/common.h"

#define SLOTS 8         /* regions that a thread has open at most */
#define PRIVATE 3       /* budgets that a thread has at most */
#define LETTERS 32      /* regions on their way to another thread */
#define ROUND_STEPS 400 /* of each thread, between two checks */
#define PAGE ((size_t)4096)
#define HALF_CHUNK (128 * PAGE)
#define HUGE_BYTES ((size_t)1 << 30) /* more than the root's limit */
#define MODEST_BYTES (64 * PAGE)     /* more than a thread has in the crowd */

/* A budget, and what the program's regions hold of it. */
struct node {
	struct node *parent;
	size_t limit;
	acre_budget *budget; /* NULL: none */
	_Atomic(size_t) held;
	_Atomic(unsigned) users; /* regions: from before open to after close */
};

enum { ROOT, LISTENER, A, B, C, CROWD, NODES };
static struct node nodes[NODES];

struct slot {
	acre_region *region; /* NULL: none */
	struct node *node;
	size_t counted; /* of what it holds, in the nodes' held */
	char *large;
	size_t large_size;
};

struct worker {
	pthread_t thread;
	struct chance chance;
	struct slot slots[SLOTS];
	struct slot hog, modest;
	struct node private[PRIVATE];
	uint64_t regions, refusals, hogs, budgets;
};

static acre_pool *pool;
static struct worker *workers;
static _Atomic(struct slot *) letters[LETTERS];

/* A charge is on its way for long enough to stand in others' way. */
void
probe_charge_window(void)
{
	static _Atomic(unsigned) charges;

	if (add_relaxed(&charges, 1) % 16 == 0)
		sched_yield();
}

/* ---- what is held ---- */

static void
count(struct slot *slot, size_t bytes)
{
	size_t more = bytes - slot->counted; /* may wrap, and the sum too */

	for (struct node *n = slot->node; n; n = n->parent) {
		size_t held = add_seq_cst(&n->held, more) + more;

		if (bytes > slot->counted && held > n->limit)
			stress_fail("%zu bytes are held of %zu", held,
				n->limit);
	}
	slot->counted = bytes;
}

static void
count_held(struct slot *slot)
{
	count(slot, acre_region_held(slot->region));
}

static void
refused(struct worker *w)
{
	if (errno != ENOMEM)
		stress_fail("refused with %s", strerror(errno));
	w->refusals++;
}

/* ---- regions ---- */

static void
open_slot(struct worker *w, struct slot *slot, struct node *node)
{
	acre_region_options options = {.budget = node->budget};

	*slot = (struct slot){.node = node};
	add_relaxed(&node->users, 1);
	slot->region = acre_region_open_with(pool, &options);
	if (slot->region) {
		count_held(slot);
		w->regions++;
		return;
	}
	sub_release(&node->users, 1);
	refused(w);
}

/* In limbo a region is charged for longer than its budget may have users, or
 * the crowd room. */
static bool
may_retire(const struct slot *slot)
{
	return slot->node >= &nodes[LISTENER] && slot->node <= &nodes[C];
}

static void
close_slot(struct worker *w, struct slot *slot)
{
	count(slot, 0);
	if (!may_retire(slot) || !chance_once_in(&w->chance, 8) ||
		acre_region_retire(slot->region))
		acre_region_close(slot->region);
	slot->region = NULL;
	sub_release(&slot->node->users, 1);
}

/* Returns NULL when it was refused. */
static char *
take(struct worker *w, struct slot *slot, size_t size)
{
	char *p = acre_alloc(slot->region, size);

	if (p)
		p[0] = p[size - 1] = 1;
	else
		refused(w);
	count_held(slot);
	return p;
}

static void
take_small(struct worker *w, struct slot *slot)
{
	for (size_t n = chance_below(&w->chance, 20); n; n--)
		if (!take(w, slot, chance_size(&w->chance, 8000)))
			break;
}

static size_t
large_size(struct worker *w)
{
	return 3 * PAGE + chance_size(&w->chance, 200 * PAGE);
}

static void
take_large(struct worker *w, struct slot *slot)
{
	size_t size = large_size(w);
	char *p = take(w, slot, size);

	if (!p)
		return;
	slot->large = p;
	slot->large_size = size;
}

static void
resize_large(struct worker *w, struct slot *slot)
{
	size_t size = large_size(w);
	char *p;

	count(slot, 0);
	p = acre_realloc(slot->region, slot->large, slot->large_size, size);
	count_held(slot);
	if (!p) {
		refused(w);
		return;
	}
	p[0] = p[size - 1] = 1;
	slot->large = p;
	slot->large_size = size;
}

static void
free_large(struct slot *slot)
{
	count(slot, 0);
	acre_free(slot->region, slot->large, slot->large_size);
	slot->large = NULL;
	count_held(slot);
}

static void
reset(struct slot *slot)
{
	count(slot, 0);
	acre_region_reset(slot->region);
	slot->large = NULL;
	count_held(slot);
}

static void
fill_and_rewind(struct worker *w, struct slot *slot)
{
	acre_mark mark = acre_region_mark(slot->region);
	size_t held = acre_region_held(slot->region);

	take_small(w, slot);
	take(w, slot, large_size(w));
	take_small(w, slot);
	count(slot, held);
	acre_region_rewind(slot->region, mark);
	if (acre_region_held(slot->region) != held)
		stress_fail("rewound to %zu bytes, not %zu",
			acre_region_held(slot->region), held);
}

/* Leave a region for any thread to close, and close what was left there. */
static void
exchange(struct worker *w, struct slot *slot)
{
	_Atomic(struct slot *) *letter =
		&letters[chance_below(&w->chance, LETTERS)];
	struct slot *sent = stress_malloc(sizeof(*sent));

	*sent = *slot;
	slot->region = NULL;
	sent = atomic_exchange(letter, sent);
	if (sent)
		close_slot(w, sent);
	free(sent);
}

static void
use_slot(struct worker *w, struct slot *slot)
{
	size_t dice = chance_below(&w->chance, 100);

	if (dice < 40)
		take_small(w, slot);
	else if (dice < 55 && !slot->large)
		take_large(w, slot);
	else if (dice < 60 && slot->large)
		resize_large(w, slot);
	else if (dice < 70 && slot->large)
		free_large(slot);
	else if (dice < 75)
		reset(slot);
	else if (dice < 80)
		fill_and_rewind(w, slot);
	else if (dice < 90)
		exchange(w, slot);
	else
		close_slot(w, slot);
}

/* ---- budgets ---- */

static bool
is_mine(const struct worker *w, const struct node *node)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slots[i].region && w->slots[i].node == node)
			return true;
	return false;
}

static void
create(struct worker *w, struct node *node)
{
	node->parent = &nodes[LISTENER + chance_below(&w->chance, 4)];
	node->limit = 16 * (1 + chance_below(&w->chance, 16 * PAGE));
	store_relaxed(&node->held, 0);
	node->budget = acre_budget_create(node->parent->budget, node->limit);
	if (!node->budget)
		stress_fail("no budget");
	w->budgets++;
}

/* Where others might still close a region, nothing is said of what comes. */
static void
destroy(const struct worker *w, struct node *node)
{
	bool unused = !load_acquire(&node->users);
	int error;

	if (!unused && !is_mine(w, node))
		return;
	error = acre_budget_destroy(node->budget);
	if (error != (unused ? 0 : EBUSY))
		stress_fail("destroy: %s", strerror(error));
	if (unused)
		node->budget = NULL;
}

static struct node *
some_node(struct worker *w)
{
	struct node *own = &w->private[chance_below(&w->chance, PRIVATE)];

	if (chance_once_in(&w->chance, 2) && own->budget)
		return own;
	return &nodes[LISTENER + chance_below(&w->chance, 4)];
}

/* ---- the crowd ---- */

/* Try for all that the crowd has room for, another hog being on its way or
 * not. */
static void
be_a_hog(struct worker *w)
{
	size_t room = HUGE_BYTES - acre_budget_used(nodes[CROWD].budget);

	if (!w->hog.region)
		open_slot(w, &w->hog, &nodes[CROWD]);
	if (w->hog.region && room > HUGE_BYTES / 2) {
		if (acre_alloc(w->hog.region, room))
			stress_fail("more than the root's limit was had");
		w->hogs++;
	}
}

static void
be_modest(struct worker *w)
{
	uint64_t before = w->refusals;

	open_slot(w, &w->modest, &nodes[CROWD]);
	if (w->modest.region) {
		for (int i = 0; i < 3; i++)
			take(w, &w->modest, 4000);
		close_slot(w, &w->modest);
	}
	if (w->refusals != before)
		stress_fail("refused, though there was room");
}

/* ---- at rest ---- */

static size_t
room_of(const struct node *node)
{
	size_t room = SIZE_MAX;

	for (; node; node = node->parent) {
		size_t left = node->limit - acre_budget_used(node->budget);

		room = left < room ? left : room;
	}
	return room;
}

static void
check_used(const struct node *node)
{
	size_t used = acre_budget_used(node->budget);

	if (used != load_relaxed(&node->held))
		stress_fail("%zu bytes are charged, %zu are held", used,
			load_relaxed(&node->held));
}

/* Page by page. */
static void
fill_with_pages(const struct node *node)
{
	acre_region_options options = {.budget = node->budget};
	acre_region *region = acre_region_open_with(pool, &options);

	while (region && acre_alloc(region, PAGE / 2))
		;
	if (room_of(node) >= PAGE)
		stress_fail("refused, with room for %zu bytes", room_of(node));
	acre_region_close(region);
}

/* With one object of all that there is room for. */
static void
fill_to_the_byte(const struct node *node)
{
	static char buffer[2048];
	acre_region_options options = {.budget = node->budget,
		.buffer = buffer, .buffer_size = sizeof(buffer)};
	acre_region *region = acre_region_open_with(pool, &options);
	size_t room = room_of(node);

	if (acre_alloc(region, room + 1))
		stress_fail("%zu bytes were had of %zu", room + 1, room);
	if (!acre_alloc(region, room) || room_of(node))
		stress_fail("%zu bytes were refused, with room", room);
	acre_region_close(region);
}

static void
fill(const struct node *node)
{
	size_t used = acre_budget_used(node->budget);

	fill_with_pages(node);
	if (room_of(node) > HALF_CHUNK)
		fill_to_the_byte(node);
	if (acre_budget_used(node->budget) != used)
		stress_fail("%zu bytes stay charged",
			acre_budget_used(node->budget) - used);
}

/* Everybody else waits in stress_meet, or is gone. */
static void
check_budgets(void)
{
	acre_pool_barrier(pool);
	for (unsigned i = 0; i < NODES; i++)
		check_used(&nodes[i]);
	for (unsigned i = LISTENER; i < NODES; i++)
		fill(&nodes[i]);
	for (unsigned i = 0; i < stress.threads * PRIVATE; i++) {
		struct node *node = &workers[i / PRIVATE].private[i % PRIVATE];

		if (!node->budget)
			continue;
		check_used(node);
		fill(node);
	}
}

/* ---- the run ---- */

static void
step(struct worker *w)
{
	size_t dice = chance_below(&w->chance, 100);
	struct slot *slot = &w->slots[chance_below(&w->chance, SLOTS)];
	struct node *own = &w->private[chance_below(&w->chance, PRIVATE)];

	if (dice < 10)
		be_a_hog(w);
	else if (dice < 20)
		be_modest(w);
	else if (dice < 25 && own->budget)
		destroy(w, own);
	else if (dice < 25)
		create(w, own);
	else if (slot->region)
		use_slot(w, slot);
	else
		open_slot(w, slot, some_node(w));
}

static void *
work(void *argument)
{
	struct worker *w = argument;

	do {
		for (unsigned i = 0; i < ROUND_STEPS && stress_goes_on(); i++)
			step(w);
	} while (stress_meet(check_budgets));
	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slots[i].region)
			close_slot(w, &w->slots[i]);
	if (w->hog.region)
		close_slot(w, &w->hog);
	return NULL;
}

static void
run_workers(void)
{
	workers = stress_malloc(stress.threads * sizeof(*workers));
	memset(workers, 0, stress.threads * sizeof(*workers));
	for (unsigned i = 0; i < stress.threads; i++) {
		workers[i].chance = chance_of(i);
		stress_thread(&workers[i].thread, work, &workers[i]);
	}
	for (unsigned i = 0; i < stress.threads; i++)
		pthread_join(workers[i].thread, NULL);
}

static void
make_nodes(void)
{
	struct chance chance = chance_of(stress.threads);
	struct node *root = &nodes[ROOT], *listener = &nodes[LISTENER];

	for (unsigned i = A; i <= C; i++)
		nodes[i] = (struct node){
			.parent = i == C ? root : listener,
			.limit = 16 * (4000 + chance_below(&chance, 100000)),
		};
	*listener = (struct node){.parent = root,
		.limit = (nodes[A].limit + nodes[B].limit) / 32 * 16 + 4096};
	nodes[CROWD] = (struct node){.parent = root, .limit = HUGE_BYTES};
	root->limit = listener->limit + nodes[C].limit +
		stress.threads * MODEST_BYTES;
	for (unsigned i = 0; i < NODES; i++)
		nodes[i].budget = acre_budget_create(nodes[i].parent ?
				nodes[i].parent->budget : NULL,
			nodes[i].limit);
}

/* Parents first, which are refused; then from the leaves. */
static void
end_nodes(void)
{
	if (acre_budget_destroy(nodes[ROOT].budget) != EBUSY ||
		acre_budget_destroy(nodes[LISTENER].budget) != EBUSY)
		stress_fail("a budget with others below it was destroyed");
	for (unsigned i = 0; i < stress.threads * PRIVATE; i++)
		if (acre_budget_destroy(
			workers[i / PRIVATE].private[i % PRIVATE].budget))
			stress_fail("a budget is used by nobody, and busy");
	for (unsigned i = NODES; i-- > 0;) {
		if (acre_budget_used(nodes[i].budget))
			stress_fail("%zu bytes stay charged",
				acre_budget_used(nodes[i].budget));
		if (acre_budget_destroy(nodes[i].budget))
			stress_fail("budget %u is used by nobody, and busy",
				i);
	}
}

static void
close_letters(void)
{
	for (unsigned i = 0; i < LETTERS; i++) {
		struct slot *sent = atomic_exchange(&letters[i], NULL);

		if (sent)
			close_slot(&workers[0], sent);
		free(sent);
	}
}

int
main(int argc, char **argv)
{
	uint64_t regions = 0, refusals = 0, hogs = 0, budgets = 0;

	stress_begin(argc, argv,
		"Threads fill regions within limits that they share.", 16,
		false);
	pool = acre_pool_create(NULL);
	make_nodes();
	run_workers();
	close_letters();
	check_budgets();
	end_nodes();
	for (unsigned i = 0; i < stress.threads; i++) {
		regions += workers[i].regions;
		refusals += workers[i].refusals;
		hogs += workers[i].hogs;
		budgets += workers[i].budgets;
	}
	free(workers);
	stress_destroy(pool);
	return stress_end("%" PRIu64 " regions, %" PRIu64 " budgets, %" PRIu64
		" refusals and %" PRIu64 " of hogs, %" PRIu64 " rounds",
		regions, budgets, refusals, hogs, stress_rounds());
}
