/* SPDX-License-Identifier: MIT */
/*
 * target.c - a string of bytes is a sequence of calls, held against a model.
 *
 *   byte 0            which kind of pool
 *   then each call    what, which region, and what the call needs
 *
 * Regions belong to actors, which are threads in lock-step (actors.h): each
 * has caches of its own, hands regions over, sits in read-side sections while
 * others retire, and ends; and to budgets (budgets.h). Nothing is refused for
 * which there is no reason. Every string is a valid sequence; a string that
 * ends early reads as zeros, and what is still open then is closed.
 *
 * libFuzzer and AFL++ call LLVMFuzzerTestOneInput; so does replay.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-bp.h>

#include "fuzz/actors.h"
#include "fuzz/budgets.h"
#include "fuzz/model.h"
#include "tests/source.h"

#define KIB ((size_t)1024)
#define PAGE (4 * KIB)
#define ALIGN_UP(n) (((n) + ACRE_ALIGN - 1) & ~(size_t)(ACRE_ALIGN - 1))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the string ---- */

static const uint8_t *at, *end;

static size_t
byte(void)
{
	return at < end ? *at++ : 0;
}

static size_t
below(size_t n)
{
	return byte() % n;
}

/* 0 to 191 by 8 bytes and a few, beyond that up to half a MiB. */
static size_t
some_size(void)
{
	size_t first = byte();

	if (first < 192)
		return first * 8 + below(9);
	return ((size_t)256 << (first - 192) % 12) + byte() - 128;
}

/* Mostly the thread that calls: another one takes a switch. */
static unsigned
some_actor(void)
{
	size_t n = byte();

	return n < 128 ? 0 : (unsigned)(n % ACTORS);
}

/* ---- pools ---- */

static const struct {
	acre_pool_options options;
	bool resizes; /* the source can reallocate */
} kinds[] = {
	{{.chunk_size = 64 * PAGE}, true},
	{{.chunk_size = 16 * PAGE, .cache_bytes = 2 * PAGE,
		.limbo_bytes = 8 * PAGE, .flags = ACRE_NONBLOCKING}, false},
	{{.chunk_size = PAGE, .limbo_bytes = 4 * PAGE}, true},
	{{.chunk_size = 32 * PAGE, .max_bytes = 96 * PAGE,
		.cache_bytes = 16 * PAGE}, false},
	{{.page_size = 16 * KIB, .chunk_size = 256 * KIB}, true},
	{{.source = &acre_mmap_allocator, .chunk_size = 32 * PAGE}, true},
	{{.chunk_size = 8 * PAGE, .cache_bytes = 2 * PAGE, .decay_ms = 8},
		true},
};

static struct kept {
	acre_pool *pool; /* NULL: not yet */
	size_t kind;
	struct test_source source;
	bool limbo;      /* the helper may be at work: it is not at rest */
} kept[POOLS];

static bool inside[ACTORS]; /* a read-side section */

static void
make_pool(struct kept *k, size_t kind)
{
	acre_pool_options options = kinds[kind].options;

	*k = (struct kept){.kind = kind, .source = {.alignment = PAGE}};
	test_source_init(&k->source);
	if (kinds[kind].resizes)
		k->source.allocator.reallocate = test_source_reallocate;
	if (!options.source)
		options.source = &k->source.allocator;
	k->pool = acre_pool_create(&options);
	REQUIRE(k->pool);
}

static void
check_pool(const struct kept *k)
{
	size_t most = kinds[k->kind].options.max_bytes;
	size_t held = 0, open = 0;
	acre_stats s;

	acre_pool_stats(k->pool, &s);
	REQUIRE(!most || s.chunk_bytes + s.large_bytes <= most);
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && &kept[models[i].pool] == k) {
			held += acre_region_held(models[i].region);
			open++;
		}
	if (k->limbo || kinds[k->kind].options.decay_ms)
		return;
	REQUIRE(s.regions_open == open);
	REQUIRE(s.region_bytes + s.large_bytes == held);
	REQUIRE(s.limbo_bytes == 0);
	REQUIRE(s.chunk_bytes == s.region_bytes + s.cache_bytes +
		s.free_bytes + s.uncarved_bytes + s.slack_bytes);
}

/* ---- allocating ---- */

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

/* Blocks for so many bytes, and for a record, are twice as much at most. */
static bool
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

static void
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

static void
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

static void
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

static void
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

static void
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

static void
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

/* ---- ends ---- */

static void
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

static void
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

static void
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

static void
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

static bool
anybody_inside(void)
{
	for (unsigned i = 0; i < ACTORS; i++)
		if (inside[i])
			return true;
	return false;
}

static void
enter(void *actor)
{
	(void)actor;
	urcu_bp_read_lock();
}

static void
leave(void *actor)
{
	(void)actor;
	model_check_ghosts();
	acre_reader_leaves(NULL);
	urcu_bp_read_unlock();
}

static void
leave_section(unsigned actor)
{
	if (inside[actor])
		actor_run(actor, leave, NULL);
	inside[actor] = false;
	model_drop_ghosts();
}

static unsigned retirer;

static void
do_retire(void *argument)
{
	struct model *m = argument;
	int error;

	model_check_contents(m);
	model_begin_retire(m, anybody_inside());
	for (unsigned i = 0; i < POOLS; i++)
		kept[i].limbo = true;
	error = acre_region_retire(m->region);
	REQUIRE(!error || error == EAGAIN || error == ENOMEM);
	REQUIRE(error != EAGAIN || inside[retirer] ||
		kinds[kept[m->pool].kind].options.flags);
	model_end_retire(m, !error);
	if (!error)
		m->region = NULL;
}

/* It may wait for readers, and they for it, in lock-step. */
static void
retire(struct model *m, unsigned actor)
{
	retirer = actor;
	for (unsigned i = 0; i < ACTORS; i++)
		if (i != actor &&
			!kinds[kept[m->pool].kind].options.flags)
			leave_section(i);
	if (!m->parent)
		actor_run(actor, do_retire, m);
}

static void
may_not_wait(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < POOLS; i++)
		if (kept[i].pool) {
			REQUIRE(acre_pool_barrier(kept[i].pool) == EDEADLK);
			REQUIRE(acre_pool_destroy(kept[i].pool) == EDEADLK);
		}
}

static void
do_barrier(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < POOLS; i++) {
		if (kept[i].pool)
			REQUIRE(acre_pool_barrier(kept[i].pool) == 0);
		kept[i].limbo = false;
	}
}

static void
barrier(unsigned actor)
{
	if (inside[actor]) {
		actor_run(actor, may_not_wait, NULL);
		return;
	}
	for (unsigned i = 0; i < ACTORS; i++)
		leave_section(i);
	actor_run(actor, do_barrier, NULL);
}

/* ---- open, hand over ---- */

/* From 4 KiB to 1 MiB: some have no room for a page. */
static struct budget *
some_budget(void)
{
	size_t n = below(BUDGETS), how = byte();

	return budgets_get(n, how % 2, (1 + how) * PAGE - 1);
}

static bool
any_limbo(void)
{
	return kept[0].limbo || kept[1].limbo;
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

static void
open_region(struct model *m)
{
	struct model *parent = &models[below(REGIONS)];

	memset(m, 0, sizeof(*m));
	m->owner = some_actor();
	m->pool = below(4) == 3;
	if (!kept[m->pool].pool)
		make_pool(&kept[m->pool], below(COUNT(kinds)));
	if (parent != m && parent->region && !model_root(parent)->detached &&
		below(2)) {
		m->parent = parent;
		m->owner = model_root(parent)->owner;
	}
	actor_run(m->owner, do_open, m);
}

static void
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

/* What can be done to a tree that nobody owns; and by anybody. */
static void
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

/* ---- threads and sources ---- */

static void
do_flush(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < POOLS; i++)
		if (kept[i].pool)
			acre_thread_flush(kept[i].pool);
}

static void
do_trim(void *unused)
{
	size_t keep = some_size(), most = some_size() * 16;

	(void)unused;
	for (unsigned i = 0; i < POOLS; i++)
		if (kept[i].pool)
			REQUIRE(acre_pool_trim(kept[i].pool, keep, most) <=
				most);
}

static void
step_thread(unsigned actor)
{
	switch (below(8)) {
	case 0:
		actor_run(actor, do_flush, NULL);
		break;
	case 1:
		leave_section(actor);
		actor_end(actor);
		break;
	case 2:
		if (!inside[actor])
			actor_run(actor, enter, NULL);
		inside[actor] = true;
		break;
	case 3:
		leave_section(actor);
		break;
	case 4:
		barrier(actor);
		break;
	case 5:
		actor_run(actor, do_trim, NULL);
		break;
	case 6:
		budgets_destroy(below(BUDGETS), any_limbo());
		break;
	default:
		/* From its nth call on, the source fails; or no more. */
		for (unsigned i = 0; i < POOLS; i++)
			kept[i].source.fail_at = kept[i].source.fail_at ? 0 :
				kept[i].source.calls +
				kept[i].source.resizes + 1 + below(5);
	}
}

/* ---- sequences ---- */

static void (*const steps[])(void *) = {
	do_alloc, do_alloc, do_alloc, do_alloc, do_string, do_realloc,
	do_realloc, do_free, do_cleanup, do_cancel, do_mark, do_rewind,
	do_reset, do_close, do_detach, do_alloc,
};

enum { RETIRE = COUNT(steps), CLOSE_ELSEWHERE, THREAD, THREAD_AGAIN, WHATS };

static void
step(void)
{
	size_t what = below(WHATS);
	struct model *m = &models[below(REGIONS)];

	if (what >= THREAD)
		step_thread(some_actor());
	else if (!m->region)
		open_region(m);
	else if (m->detached)
		step_detached(m, what);
	else if (model_root(m)->detached)
		;
	else if (what == RETIRE)
		retire(m, m->owner);
	else if (what == CLOSE_ELSEWHERE && !m->parent)
		actor_run(some_actor(), do_close, m);
	else if (what < COUNT(steps))
		actor_run(m->owner, steps[what], m);
}

static void
check(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region)
			model_check_region(&models[i]);
	for (unsigned i = 0; i < POOLS; i++)
		if (kept[i].pool)
			check_pool(&kept[i]);
	budgets_check(any_limbo());
	model_check_ghosts();
}

static void
check_all_contents(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region)
			model_check_contents(&models[i]);
}

static void
close_all(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && !models[i].parent)
			actor_run(models[i].owner, do_close, &models[i]);
}

static void
destroy_pools(void)
{
	for (unsigned i = 0; i < POOLS; i++) {
		int error;

		if (!kept[i].pool)
			continue;
		error = acre_pool_destroy(kept[i].pool);
		REQUIRE(error != EDEADLK);
		REQUIRE(!error);
		REQUIRE(kept[i].source.live == 0);
		kept[i].pool = NULL;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	at = data;
	end = data + size;
	model_begin();
	budgets_begin();
	make_pool(&kept[0], below(COUNT(kinds)));
	while (at < end) {
		step();
		check();
	}
	check_all_contents();
	for (unsigned i = 0; i < ACTORS; i++)
		leave_section(i);
	close_all();
	barrier(0);
	check();
	/* Some end before the pools, some after. */
	for (unsigned i = 1; i < ACTORS; i += 2)
		actor_end(i);
	destroy_pools();
	budgets_end();
	for (unsigned i = 2; i < ACTORS; i += 2)
		actor_end(i);
	model_check_tasks();
	model_free_buffers();
	return 0;
}
