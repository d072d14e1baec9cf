/* SPDX-License-Identifier: MIT */
/*
 * objects.c - calls for what is in a region: objects, strings, cleanups.
 */
#include "fuzz/calls.h"

#include <errno.h>
#include <string.h>

#include "fuzz/budgets.h"
#include "fuzz/input.h"
#include "fuzz/pools.h"

#define ALIGN_UP(n) (((n) + ACRE_ALIGN - 1) & ~(size_t)(ACRE_ALIGN - 1))

/* ---- refused or taken ---- */

struct before {
	size_t used, held;
	size_t room; /* in the budgets */
};

static struct before
before(const struct model *m)
{
	return (struct before){acre_region_used(m->region),
		acre_region_held(m->region), budget_room(m->budget)};
}

bool
has_reason(const struct model *m, size_t room, size_t size)
{
	const struct kept *k = &kept[m->pool];

	return k->source.fail_at || kinds[k->kind].options.max_bytes ||
		m->max_bytes || room < 2 * size + 64 * KIB;
}

static void
check_refused(struct model *m, struct before was, size_t size)
{
	REQUIRE(errno == ENOMEM);
	REQUIRE(acre_region_used(m->region) == was.used);
	REQUIRE(acre_region_held(m->region) == was.held);
	REQUIRE(has_reason(m, was.room, size));
	m->failed = true;
}

/* More than asked for is used only by a large object's block, its record, and
 * alignment. */
static void
check_taken(const struct model *m, struct before was, size_t size,
	size_t align)
{
	size_t used = acre_region_used(m->region) - was.used;

	REQUIRE(used >= size);
	REQUIRE(used <= ALIGN_UP(size + 1) + align ||
		(size + align > PAGE - 64 && used <= 2 * (size + align) + 64));
}

/* ---- objects ---- */

static void
has_object(struct model *m, void *p, size_t size, bool string)
{
	struct object *o = model_slot(m);

	model_fill(o, p, size);
	o->string = string;
	o->born = ++model_now;
}

static void *
call_alloc(struct model *m, size_t how, size_t size, size_t align)
{
	static const char zeros[2 * KIB * KIB];
	void *p;

	switch (how) {
	case 0:
		return acre_alloc_aligned(m->region, size, align);
	case 1:
		p = acre_zalloc(m->region, size);
		REQUIRE(!p || !memcmp(p, zeros, size));
		return p;
	case 2:
		p = acre_memdup(m->region, zeros, size);
		REQUIRE(!p || !memcmp(p, zeros, size));
		return p;
	case 3:
		p = acre_zalloc_array(m->region, size, 2);
		REQUIRE(!p || !memcmp(p, zeros, 2 * size));
		return p;
	default:
		return acre_alloc(m->region, size);
	}
}

void
do_alloc(void *argument)
{
	struct model *m = argument;
	size_t how = below(8);
	size_t align = how == 0 ? (size_t)1 << below(15) : 1;
	size_t size = some_size();
	struct before was = before(m);
	unsigned char *p;

	if (!model_slot(m))
		return;
	errno = 0;
	p = call_alloc(m, how, size, align);
	size = how == 3 ? 2 * size : size;
	if (!p) {
		check_refused(m, was, size + align);
		return;
	}
	REQUIRE((uintptr_t)p % align == 0 && (uintptr_t)p % ACRE_ALIGN == 0);
	check_taken(m, was, size, align);
	has_object(m, p, size, false);
}

void
do_string(void *argument)
{
	static char text[9000];
	struct model *m = argument;
	size_t how = below(3), length = some_size() % sizeof(text);
	struct before was = before(m);
	char *p;

	if (!model_slot(m))
		return;
	memset(text, 'x', sizeof(text));
	text[how ? length : sizeof(text) - 1] = '\0';
	errno = 0;
	if (how == 0)
		p = acre_strndup(m->region, text, length);
	else if (how == 1)
		p = acre_strdup(m->region, text);
	else
		p = acre_asprintf(m->region, "%s", text);
	if (!p) {
		check_refused(m, was, length);
		return;
	}
	REQUIRE(strlen(p) == length && !memcmp(p, text, length));
	check_taken(m, was, length + 1, 1);
	has_object(m, p, length + 1, true);
}

/* An object that can be resized; NULL: there is none. */
static struct object *
some_object(struct model *m)
{
	size_t from = below(OBJECTS);

	for (size_t i = 0; i < OBJECTS; i++) {
		struct object *o = &m->objects[(from + i) % OBJECTS];

		if (o->p && !o->string)
			return o;
	}
	return NULL;
}

/* What older marks know of sizes is over. */
static void
blur_marks(struct model *m)
{
	for (int i = 0; i < m->mark_count; i++)
		m->marks[i].exact = false;
}

void
do_realloc(void *argument)
{
	struct model *m = argument;
	struct object *o = some_object(m);
	size_t size = some_size();
	struct before was = before(m);
	unsigned char *p;

	if (!o)
		return;
	model_check_object(o);
	errno = 0;
	p = acre_realloc(m->region, o->p, o->size, size);
	if (!p) {
		check_refused(m, was, size);
		model_check_object(o);
		return;
	}
	blur_marks(m);
	o->size = size < o->size ? size : o->size;
	o->p = p;
	model_check_object(o);
	model_fill(o, p, size);
	/* It may now be behind a mark. */
	o->born = ++model_now;
}

void
do_free(void *argument)
{
	struct model *m = argument;
	struct object *o = some_object(m);
	struct before was = before(m);

	if (!o)
		return;
	model_check_object(o);
	blur_marks(m);
	acre_free(m->region, o->p, o->size);
	o->p = NULL;
	REQUIRE(acre_region_used(m->region) <= was.used);
	REQUIRE(acre_region_held(m->region) <= was.held);
}

/* ---- cleanups ---- */

void
do_cleanup(void *argument)
{
	struct model *m = argument;
	struct task *task = &tasks[task_count];
	struct before was = before(m);
	int error = 0;

	if (task_count == TASKS)
		return;
	if (below(2))
		acre_cleanup_link(m->region, &task->storage, model_run_task,
			task);
	else
		error = acre_cleanup_add(m->region, model_run_task, task);
	if (error) {
		errno = error;
		check_refused(m, was, sizeof(acre_cleanup));
		return;
	}
	task->model = m;
	task->born = ++model_now;
	task->reports = true;
	task_count++;
}

void
do_cancel(void *argument)
{
	struct model *m = argument;
	struct task *task;

	if (!task_count)
		return;
	task = &tasks[below((size_t)task_count)];
	if (acre_cleanup_cancel(m->region, model_run_task, task)) {
		REQUIRE(task->model != m);
		return;
	}
	REQUIRE(task->model == m);
	task->model = NULL;
	task->cancelled = true;
}
