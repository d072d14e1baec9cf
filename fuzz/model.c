/* SPDX-License-Identifier: MIT */
/*
 * model.c - what regions should be.
 */
#include "fuzz/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GHOSTS = 256, BUFFERS = 400 };

struct model models[REGIONS];
struct task tasks[TASKS];
int task_count;
uint64_t model_now;

static struct ghost ghosts[GHOSTS];
static int ghost_count, ghosts_before;
static char *buffers[BUFFERS];
static int buffer_count;
static struct task *expected[TASKS], *ran[TASKS];
static int expected_count, ran_count;

void
model_broken(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}

void
model_begin(void)
{
	memset(models, 0, sizeof(models));
	memset(tasks, 0, sizeof(tasks));
	task_count = ghost_count = 0;
	model_now = 0;
}

struct model *
model_root(struct model *m)
{
	while (m->parent)
		m = m->parent;
	return m;
}

/* ---- objects ---- */

static bool
are_apart(const struct object *o, const unsigned char *p, size_t size)
{
	return !o->p || p + size <= o->p || o->p + o->size <= p;
}

struct object *
model_slot(struct model *m)
{
	for (int i = 0; i < OBJECTS; i++)
		if (!m->objects[i].p)
			return &m->objects[i];
	return NULL;
}

void
model_fill(struct object *o, unsigned char *p, size_t size)
{
	static unsigned char with;

	o->p = NULL;
	for (int i = 0; i < REGIONS; i++)
		for (int j = 0; models[i].region && j < OBJECTS; j++)
			REQUIRE(are_apart(&models[i].objects[j], p, size));
	o->p = p;
	o->size = size;
	o->with = ++with;
	memset(p, with, size);
}

static bool
is_all(const unsigned char *p, size_t size, unsigned char with)
{
	return !size || (*p == with && !memcmp(p, p + 1, size - 1));
}

void
model_check_object(const struct object *o)
{
	REQUIRE(is_all(o->p, o->size, o->with));
}

void
model_check_contents(const struct model *m)
{
	for (int i = 0; i < OBJECTS; i++)
		if (m->objects[i].p)
			model_check_object(&m->objects[i]);
}

void
model_check_region(const struct model *m)
{
	const acre_region *r = m->region;

	REQUIRE(r->top <= r->limit);
	REQUIRE(r->top % ACRE_ALIGN == 0 && r->limit % ACRE_ALIGN == 0);
	REQUIRE(acre_region_failed(r) == m->failed);
	REQUIRE(!m->max_bytes || acre_region_held(r) <= m->max_bytes);
	REQUIRE(m->buffer || acre_region_used(r) <= acre_region_held(r));
}

/* ---- cleanups ---- */

void
model_run_task(void *argument)
{
	struct task *task = argument;

	REQUIRE(atomic_fetch_add(&task->ran, 1) == 0);
	if (!task->reports)
		return;
	/* A region's objects are there until its last cleanup has run. */
	model_check_contents(task->model);
	ran[ran_count++] = task;
}

static struct model *
newest_child(const struct model *m, uint64_t since, uint64_t before)
{
	struct model *newest = NULL;

	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && models[i].parent == m &&
			models[i].born > since && models[i].born < before &&
			(!newest || models[i].born > newest->born))
			newest = &models[i];
	return newest;
}

static void
expect(struct model *m, uint64_t since)
{
	uint64_t before = UINT64_MAX;
	struct model *child;

	while ((child = newest_child(m, since, before))) {
		expect(child, 0);
		before = child->born;
	}
	for (int i = task_count; i-- > 0;)
		if (tasks[i].model == m && tasks[i].born > since)
			expected[expected_count++] = &tasks[i];
}

void
model_expect_end(struct model *m, uint64_t since)
{
	ran_count = expected_count = 0;
	model_check_contents(m);
	expect(m, since);
}

void
model_check_end(void)
{
	REQUIRE(ran_count == expected_count);
	for (int i = 0; i < ran_count; i++)
		REQUIRE(ran[i] == expected[i]);
}

void
model_check_tasks(void)
{
	for (int i = 0; i < task_count; i++)
		REQUIRE(tasks[i].ran == !tasks[i].cancelled);
}

/* ---- ends ---- */

void
model_forget(struct model *m, uint64_t since)
{
	struct model *child;

	while ((child = newest_child(m, since, UINT64_MAX))) {
		model_forget(child, 0);
		child->region = NULL;
		free(child->buffer);
	}
	for (int i = 0; i < task_count; i++)
		if (tasks[i].model == m && tasks[i].born > since)
			tasks[i].model = NULL;
	for (int i = 0; i < OBJECTS; i++)
		if (m->objects[i].born > since)
			m->objects[i].p = NULL;
	while (m->mark_count && m->marks[m->mark_count - 1].time > since)
		m->mark_count--;
}

static void
haunt(const struct model *m)
{
	for (int i = 0; i < OBJECTS && ghost_count < GHOSTS; i++)
		if (m->objects[i].p)
			ghosts[ghost_count++] = (struct ghost){
				m->objects[i].p, m->objects[i].size,
				m->objects[i].with};
}

static void
set_reports(const struct model *m, bool reports)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && models[i].parent == m)
			set_reports(&models[i], reports);
	for (int i = 0; i < task_count; i++)
		if (tasks[i].model == m)
			tasks[i].reports = reports;
}

/* A buffer must outlive its region, and when that ends is not known. */
static void
keep_buffers(struct model *m)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && models[i].parent == m)
			keep_buffers(&models[i]);
	if (m->buffer) {
		REQUIRE(buffer_count < BUFFERS);
		buffers[buffer_count++] = m->buffer;
	}
	m->buffer = NULL;
}

void
model_begin_retire(struct model *m, bool read)
{
	set_reports(m, false);
	ghosts_before = ghost_count;
	if (read)
		haunt(m);
}

void
model_end_retire(struct model *m, bool retired)
{
	if (retired) {
		keep_buffers(m);
		model_forget(m, 0);
		return;
	}
	set_reports(m, true);
	ghost_count = ghosts_before;
}

void
model_free_buffers(void)
{
	while (buffer_count)
		free(buffers[--buffer_count]);
}

void
model_check_ghosts(void)
{
	for (int i = 0; i < ghost_count; i++)
		REQUIRE(is_all(ghosts[i].p, ghosts[i].size, ghosts[i].with));
}

void
model_drop_ghosts(void)
{
	ghost_count = 0;
}
