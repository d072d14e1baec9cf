/* SPDX-License-Identifier: MIT */
/*
 * regions.c - calls for a region as a whole: open, end, rewind, hand over.
 */
#include "fuzz/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/actors.h"
#include "fuzz/budgets.h"
#include "fuzz/input.h"
#include "fuzz/pools.h"
#include "fuzz/readers.h"

/* ---- ends ---- */

void
do_close(void *argument)
{
	struct model *m = argument;

	model_expect_end(m, 0);
	acre_region_close(m->region);
	model_check_end();
	model_forget(m, 0);
	m->region = NULL;
	free(m->buffer);
}

void
do_reset(void *argument)
{
	struct model *m = argument;

	model_expect_end(m, 0);
	acre_region_reset(m->region);
	model_check_end();
	model_forget(m, 0);
	m->mark_count = 0;
	m->failed = false;
	REQUIRE(acre_region_used(m->region) == 0);
	REQUIRE(acre_region_held(m->region) == m->first);
}

void
do_mark(void *argument)
{
	struct model *m = argument;

	if (m->mark_count == MARKS)
		return;
	m->marks[m->mark_count++] = (struct mark){
		.mark = acre_region_mark(m->region),
		.time = ++model_now,
		.used = acre_region_used(m->region),
		.held = acre_region_held(m->region),
		.exact = true,
	};
}

void
do_rewind(void *argument)
{
	struct model *m = argument;
	struct mark *mark;

	if (!m->mark_count)
		return;
	mark = &m->marks[below((size_t)m->mark_count)];
	model_expect_end(m, mark->time);
	acre_region_rewind(m->region, mark->mark);
	model_check_end();
	model_forget(m, mark->time);
	if (!mark->exact)
		return;
	REQUIRE(acre_region_used(m->region) == mark->used);
	REQUIRE(acre_region_held(m->region) == mark->held);
}

static unsigned retirer;

static void
do_retire(void *argument)
{
	struct model *m = argument;
	int error;

	model_check_contents(m);
	model_begin_retire(m, readers_any());
	for (unsigned i = 0; i < POOLS; i++)
		kept[i].limbo = true;
	error = acre_region_retire(m->region);
	REQUIRE(!error || error == EAGAIN || error == ENOMEM);
	REQUIRE(error != EAGAIN || reader_inside[retirer] ||
		kinds[kept[m->pool].kind].options.flags);
	model_end_retire(m, !error);
	if (!error)
		m->region = NULL;
}

void
retire(struct model *m, unsigned actor)
{
	retirer = actor;
	for (unsigned i = 0; i < ACTORS; i++)
		if (i != actor &&
			!kinds[kept[m->pool].kind].options.flags)
			reader_leaves(i);
	if (!m->parent)
		actor_run(actor, do_retire, m);
}

/* ---- open, hand over ---- */

/* From 4 KiB to 1 MiB: some have no room for a page. */
static struct budget *
some_budget(void)
{
	size_t n = below(BUDGETS), how = byte();

	return budgets_get(n, how % 2, (1 + how) * PAGE - 1);
}

static void
do_open(void *argument)
{
	struct model *m = argument;
	struct kept *k = &kept[m->pool];
	acre_region_options o = {0};
	size_t how = byte(), room;

	if (m->parent)
		o.parent = m->parent->region;
	if (how >= 128)
		m->budget = some_budget();
	if (m->budget)
		o.budget = m->budget->budget;
	room = budget_room(m->budget);
	if (how & 1)
		o.buffer_size = 16 * byte() + 1;
	if (o.buffer_size)
		o.buffer = m->buffer = malloc(o.buffer_size);
	if (how & 2)
		o.max_bytes = (1 + below(20)) * 4 * PAGE;
	errno = 0;
	m->max_bytes = o.max_bytes;
	m->region = how & 131 || m->parent ?
		acre_region_open_with(k->pool, &o) : acre_region_open(k->pool);
	if (!m->region) {
		REQUIRE(errno == ENOMEM);
		REQUIRE(has_reason(m, room, 0));
		free(m->buffer);
		return;
	}
	m->born = ++model_now;
	m->first = acre_region_held(m->region);
	REQUIRE(acre_region_used(m->region) == 0);
}

void
open_region(struct model *m)
{
	struct model *parent = &models[below(REGIONS)];

	memset(m, 0, sizeof(*m));
	m->owner = some_actor();
	m->pool = below(4) == 3;
	if (!kept[m->pool].pool)
		pools_make(m->pool, below(KINDS));
	if (parent != m && parent->region && !model_root(parent)->detached &&
		below(2)) {
		m->parent = parent;
		m->owner = model_root(parent)->owner;
	}
	actor_run(m->owner, do_open, m);
}

void
do_detach(void *argument)
{
	struct model *m = argument;

	if (m->parent) {
		REQUIRE(acre_region_detach(m->region) == EINVAL);
		return;
	}
	REQUIRE(acre_region_adopt(m->region) == EALREADY);
	REQUIRE(acre_region_detach(m->region) == 0);
	REQUIRE(acre_region_detach(m->region) == EALREADY);
	m->detached = true;
	errno = 0;
	REQUIRE(!acre_alloc(m->region, some_size()) && errno == EPERM);
	m->failed = true;
}

static void
do_adopt(void *argument)
{
	struct model *m = argument;

	REQUIRE(acre_region_adopt(m->region) == 0);
	m->detached = false;
}

void
step_detached(struct model *m, size_t what)
{
	unsigned actor = some_actor();

	if (what % 4 == 0) {
		actor_run(actor, do_close, m);
	} else if (what % 4 == 1) {
		retire(m, actor);
	} else {
		actor_run(actor, do_adopt, m);
		for (int i = 0; i < REGIONS; i++)
			if (models[i].region && model_root(&models[i]) == m)
				models[i].owner = actor;
	}
}
