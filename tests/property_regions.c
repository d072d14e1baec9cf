/* SPDX-License-Identifier: MIT */
/*
 * property_regions.c - steps about regions as a whole: cleanups, ends, marks,
 * budgets, owners.
 */
#include "tests/property.h"

#include <stdlib.h>
#include <string.h>

/* ---- cleanups ---- */

enum { LOG = 1000 };
static int last_id;
static int ran[LOG], expected[LOG];
static int ran_count, expected_count;

static void
run_next(void *arg)
{
	REQUIRE(ran_count < LOG);
	ran[ran_count++] = -((struct task *)arg)->id;
}

static void
run(void *arg)
{
	struct task *task = arg;

	REQUIRE(ran_count < LOG);
	ran[ran_count++] = task->id;
	if (task->watches)
		check_object(task->watches);
	if (task->registers)
		acre_cleanup_link(task->model->region,
			&task->storage_of_next, run_next, task);
}

void
step_cleanup(struct model *m)
{
	size_t used = acre_region_used(m->region);
	size_t held = acre_region_held(m->region);
	struct task *task;
	int error = 0;

	if (m->task_count == CLEANUPS)
		return;
	task = calloc(1, sizeof(*task));
	task->model = m;
	task->id = ++last_id;
	task->registers = chance(20);
	task->in_storage = chance(50);
	task->watches = chance(30) ? some_object(m, true) : NULL;
	if (task->watches && task->watches->forget)
		task->watches = NULL;
	if (task->in_storage)
		acre_cleanup_link(m->region, &task->storage, run, task);
	else
		error = acre_cleanup_add(m->region, run, task);
	if (error) {
		errno = error;
		check_failure(m, used, held);
		free(task);
		return;
	}
	m->small = small_used(m);
	REQUIRE(acre_region_used(m->region) - used <=
		ALIGN_UP(sizeof(acre_cleanup)));
	task->born = ++now;
	m->tasks[m->task_count++] = task;
}

void
step_cancel(struct model *m)
{
	int i;

	REQUIRE(acre_cleanup_cancel(m->region, run, m) == ENOENT);
	if (!m->task_count)
		return;
	i = (int)random_below((size_t)m->task_count);
	REQUIRE(acre_cleanup_cancel(m->region, run, m->tasks[i]) == 0);
	free(m->tasks[i]);
	memmove(&m->tasks[i], &m->tasks[i + 1], sizeof(m->tasks[0]) *
		(size_t)(m->task_count - i - 1));
	m->task_count--;
}

/* ---- ends ---- */

static void
expect_tasks(struct model *m, uint64_t since)
{
	for (int i = m->task_count; i-- > 0 && m->tasks[i]->born > since;) {
		expected[expected_count++] = m->tasks[i]->id;
		if (m->tasks[i]->registers)
			expected[expected_count++] = -m->tasks[i]->id;
	}
}

static struct model *
newest_child(struct model *m, uint64_t since, uint64_t before)
{
	struct model *newest = NULL;

	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && models[i].parent == m &&
			models[i].born > since && models[i].born < before &&
			(!newest || models[i].born > newest->born))
			newest = &models[i];
	return newest;
}

/* What should run when m returns to the time since, in order. */
static void
expect_end(struct model *m, uint64_t since)
{
	uint64_t before = UINT64_MAX;
	struct model *child;

	while ((child = newest_child(m, since, before))) {
		expect_end(child, 0);
		before = child->born;
	}
	expect_tasks(m, since);
}

/* The model's part of that, after the library's. */
static void
forget_since(struct model *m, uint64_t since)
{
	struct model *child;

	while ((child = newest_child(m, since, UINT64_MAX))) {
		forget_since(child, 0);
		child->region = NULL;
		free(child->buffer);
	}
	while (m->task_count && m->tasks[m->task_count - 1]->born > since)
		free(m->tasks[--m->task_count]);
	for (int i = 0; i < OBJECTS; i++) {
		struct object *o = &m->objects[i];

		if (o->p && (o->born > since || o->forget))
			o->p = NULL;
	}
	while (m->mark_count && m->marks[m->mark_count - 1].time > since)
		m->mark_count--;
}

static void
begin_end(struct model *m, uint64_t since)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region)
			check_contents(&models[i]);
	ran_count = expected_count = 0;
	expect_end(m, since);
}

static void
check_end(void)
{
	REQUIRE(ran_count == expected_count);
	for (int i = 0; i < ran_count; i++)
		REQUIRE(ran[i] == expected[i]);
}

void
step_close(struct model *m)
{
	begin_end(m, 0);
	acre_region_close(m->region);
	check_end();
	forget_since(m, 0);
	m->region = NULL;
	free(m->buffer);
}

void
step_reset(struct model *m)
{
	begin_end(m, 0);
	acre_region_reset(m->region);
	check_end();
	forget_since(m, 0);
	m->mark_count = 0;
	m->small = 0;
	m->failed = false;
	REQUIRE(acre_region_held(m->region) == m->first);
}

void
step_mark(struct model *m)
{
	if (m->mark_count == MARKS)
		return;
	m->marks[m->mark_count++] = (struct mark){
		.mark = acre_region_mark(m->region), .time = ++now,
		.small = m->small, .blocks = block_bytes(m),
	};
}

void
step_rewind(struct model *m)
{
	struct mark *mark;

	if (!m->mark_count)
		return;
	mark = &m->marks[random_below((size_t)m->mark_count)];
	begin_end(m, mark->time);
	acre_region_rewind(m->region, mark->mark);
	check_end();
	forget_since(m, mark->time);
	m->small = mark->small;
	REQUIRE(block_bytes(m) == mark->blocks);
}

/* ---- budgets ---- */

static struct budget_model *
some_budget(void)
{
	struct budget_model *b = &budgets[random_below(BUDGETS)];

	return b->budget ? b : NULL;
}

static bool
is_used(const struct budget_model *b)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && models[i].budget == b)
			return true;
	for (int i = 0; i < BUDGETS; i++)
		if (budgets[i].budget && budgets[i].parent == b)
			return true;
	return false;
}

void
step_budget(void)
{
	struct budget_model *b = &budgets[random_below(BUDGETS)];
	bool used = is_used(b);

	if (!b->budget) {
		b->parent = chance(60) ? some_budget() : NULL;
		b->limit = chance(10) ? SIZE_MAX :
			1 + random_below(60 * pool->page_size);
		b->budget = acre_budget_create(
			b->parent ? b->parent->budget : NULL, b->limit);
		REQUIRE(b->budget);
	} else {
		REQUIRE(acre_budget_destroy(b->budget) ==
			(used ? EBUSY : 0));
		if (!used)
			b->budget = NULL;
	}
}

void
end_budgets(void)
{
	int left;

	do {
		left = 0;
		for (int i = 0; i < BUDGETS; i++)
			if (budgets[i].budget && is_used(&budgets[i]))
				left++;
			else if (acre_budget_destroy(budgets[i].budget) == 0)
				budgets[i].budget = NULL;
	} while (left);
}

/* ---- open, hand over, fail ---- */

void
step_open(struct model *m)
{
	struct model *parent = &models[random_below(REGIONS)];
	acre_region_options o = {0};

	memset(m, 0, sizeof(*m));
	if (parent != m && parent->region && chance(40))
		o.parent = parent->region;
	if (chance(20)) {
		o.buffer_size = random_below(4000) + 1;
		o.buffer = m->buffer = malloc(o.buffer_size);
	}
	if (chance(20))
		o.max_bytes = pool->page_size * (1 + random_below(20));
	m->budget = chance(50) ? some_budget() : NULL;
	o.budget = m->budget ? m->budget->budget : NULL;
	errno = 0;
	if (!o.parent && !o.buffer && !o.max_bytes && !o.budget && chance(80))
		m->region = acre_region_open(pool);
	else
		m->region = acre_region_open_with(pool, &o);
	if (!m->region) {
		REQUIRE(errno == ENOMEM);
		if (only_budgets_limit(m))
			REQUIRE(!budgets_have(m->budget, pool->page_size));
		free(m->buffer);
		return;
	}
	m->parent = o.parent ? parent : NULL;
	m->max_bytes = o.max_bytes;
	m->born = ++now;
	m->first = acre_region_held(m->region);
	REQUIRE((m->first == 0) == (o.buffer_size >= 576));
}

void
step_detach(struct model *m)
{
	void *p;

	if (m->parent) {
		REQUIRE(acre_region_detach(m->region) == EINVAL);
		return;
	}
	REQUIRE(acre_region_adopt(m->region) == EALREADY);
	REQUIRE(acre_region_detach(m->region) == 0);
	p = acre_alloc(m->region, random_size());
	REQUIRE(!p && errno == EPERM);
	m->failed = true;
	REQUIRE(acre_region_adopt(m->region) == 0);
}

void
step_source(void)
{
	source.fail_at = source.fail_at ? 0 :
		source.calls + source.resizes + 1 + random_below(5);
}
