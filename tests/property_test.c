/* SPDX-License-Identifier: MIT */
/*
 * property_test.c - random sequences of everything that a region can do,
 * against a simple model of what it should be then.
 *
 *	TEST_RUNS=100000 TEST_SEED=1 tests/property_test
 *
 * Without TEST_RUNS there are RUNS of them, or what SECONDS allow. Runs have
 * the seeds TEST_SEED, TEST_SEED + 1, ...; one that fails says its
 * seed and step, and TEST_SEED=<that> TEST_RUNS=1 repeats it alone.
 *
 * The model knows of each region: its live objects, each filled with a byte
 * of its own (so objects that overlap are seen), when they were born, its
 * cleanups, marks and children, and how many bytes are in blocks and in large
 * objects; and of each budget, who uses it. What the library has by itself (where it places an object, how
 * large a block is) the model takes from the library, and holds it against
 * the statistics.
 */
#include "lib/region.h"

#include <stdio.h>
#include <time.h>

#include "tests/fixture.h"
#include "tests/source.h"

enum { REGIONS = 8, OBJECTS = 48, CLEANUPS = 12, MARKS = 4, STEPS = 120 };
enum { BUDGETS = 6 };
enum { RUNS = 4000, SECONDS = 5 };

struct object {
	unsigned char *p; /* NULL: none */
	size_t size;
	unsigned char with;
	bool string;   /* may not be reallocated or freed */
	uint64_t born; /* the model's time */
	bool forget;   /* at a rewind, though it is older */
};

struct task {
	acre_cleanup storage;
	acre_cleanup storage_of_next;
	struct model *model;
	int id; /* 0: none */
	bool in_storage;
	bool registers; /* another one, which runs next */
	struct object *watches;
	uint64_t born;
};

struct mark {
	acre_mark mark;
	uint64_t time;
	size_t small, blocks;
};

/* Below another one, or none. */
struct budget_model {
	acre_budget *budget; /* NULL: none */
	struct budget_model *parent;
	size_t limit;
};

struct model {
	acre_region *region; /* NULL: none */
	struct model *parent;
	struct budget_model *budget;
	uint64_t born;
	struct object objects[OBJECTS];
	struct task *tasks[CLEANUPS]; /* oldest first */
	int task_count;
	struct mark marks[MARKS];
	int mark_count;
	size_t small;  /* used, but for large objects */
	size_t max_bytes;
	size_t first;  /* bytes of the first block; 0: a buffer */
	bool failed;
	char *buffer;
};

static struct model models[REGIONS];
static struct budget_model budgets[BUDGETS];
static struct test_source source;
static uint64_t seed, state, now;
static int at_step, last_id;
static bool sourced; /* the pool's source is the test's */

/* ---- saying where ---- */

#define REQUIRE(condition)                                               \
	do {                                                             \
		if (!(condition))                                        \
			ck_abort_msg("TEST_SEED=%llu, step %d: %s",      \
				(unsigned long long)seed, at_step,       \
				#condition);                             \
	} while (0)

/* ---- random numbers ---- */

static size_t
random_below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)((state * 0x2545f4914f6cdd1dull) >> 33) % n;
}

static bool
chance(size_t percent)
{
	return random_below(100) < percent;
}

/* Mostly small, some of a few pages, few large. */
static size_t
random_size(void)
{
	static const size_t most[] = {
		64, 64, 64, 300, 300, 300, 300, 2000, 2000, 5000, 12000,
		40000, 200000,
	};

	return random_below(most[random_below(COUNT(most))]);
}

/* ---- what is ---- */

/* The bytes of large objects, and how many there are. */
static size_t
large_bytes(const struct model *m, int *count)
{
	const struct region *r = region_of(m->region);
	size_t bytes = 0;

	*count = 0;
	if (!(r->state & STATE_MORE))
		return 0;
	for (const struct large *l = r->more.large; l; l = l->next) {
		bytes += l->size;
		++*count;
	}
	return bytes;
}

static size_t
small_used(const struct model *m)
{
	int count;

	return acre_region_used(m->region) - large_bytes(m, &count);
}

static size_t
block_bytes(const struct model *m)
{
	int count;

	return acre_region_held(m->region) - large_bytes(m, &count);
}

static struct large *
large_of(const struct model *m, const struct object *o)
{
	return o->string && (uintptr_t)o->p % ACRE_ALIGN ? NULL :
		large_find(region_of(m->region), o->p);
}

/* ---- holding it against the model ---- */

static void
check_object(const struct object *o)
{
	for (size_t i = 0; i < o->size; i++)
		REQUIRE(o->p[i] == o->with);
}

static void
check_contents(const struct model *m)
{
	for (int i = 0; i < OBJECTS; i++)
		if (m->objects[i].p)
			check_object(&m->objects[i]);
}

static void
check_region(const struct model *m)
{
	const acre_region *r = m->region;
	int large = 0, count;

	for (int i = 0; i < OBJECTS; i++)
		if (m->objects[i].p && large_of(m, &m->objects[i]))
			large++;
	large_bytes(m, &count);
	REQUIRE(count == large);
	REQUIRE(small_used(m) == m->small);
	REQUIRE(!m->max_bytes || acre_region_held(r) <= m->max_bytes);
	REQUIRE(acre_region_failed(r) == m->failed);
	REQUIRE(r->top <= r->limit);
	REQUIRE(r->top % ACRE_ALIGN == 0 && r->limit % ACRE_ALIGN == 0);
}

static void
check_pool(void)
{
	acre_stats s = stats_of(pool);
	size_t held = 0, open = 0;

	for (int i = 0; i < REGIONS; i++) {
		if (!models[i].region)
			continue;
		held += acre_region_held(models[i].region);
		open++;
	}
	REQUIRE(s.region_bytes + s.large_bytes == held);
	REQUIRE(s.regions_open == open);
	REQUIRE(s.chunk_bytes == s.region_bytes + s.cache_bytes +
		s.free_bytes + s.uncarved_bytes + s.slack_bytes);
	if (sourced)
		REQUIRE(source.calls + source.resizes == s.source_calls);
}

/* What regions hold below a budget. */
static size_t
charged_to(const struct budget_model *b)
{
	size_t bytes = 0;

	for (int i = 0; i < REGIONS; i++) {
		const struct budget_model *of =
			models[i].region ? models[i].budget : NULL;

		while (of && of != b)
			of = of->parent;
		if (of)
			bytes += acre_region_held(models[i].region);
	}
	return bytes;
}

static void
check_budgets(void)
{
	for (int i = 0; i < BUDGETS; i++) {
		const struct budget_model *b = &budgets[i];

		if (!b->budget)
			continue;
		REQUIRE(acre_budget_used(b->budget) == charged_to(b));
		REQUIRE(charged_to(b) <= b->limit);
	}
}

/* Have b and all above it so much room? */
static bool
budgets_have(const struct budget_model *b, size_t size)
{
	for (; b; b = b->parent)
		if (b->limit - charged_to(b) < size)
			return false;
	return true;
}

/* Can only budgets have refused? */
static bool
only_budgets_limit(const struct model *m)
{
	return !m->max_bytes && !source.fail_at &&
		!pool->chunks.source.max_bytes;
}

/* The least that must be held more for an object of its own. */
static size_t
least_for(size_t size)
{
	unsigned order = 0;

	if (size > pool->orders[pool->order_count - 1].size)
		return ALIGN_UP(size);
	while (pool->orders[order].size <
		size + (size > pool->object_most ? 0 : BLOCK_HEADER))
		order++;
	return pool->orders[order].size;
}

static void
check_all(void)
{
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region) {
			check_region(&models[i]);
			check_contents(&models[i]);
		}
	check_pool();
}

/* ---- objects ---- */

static struct object *
free_slot(struct model *m)
{
	for (int i = 0; i < OBJECTS; i++)
		if (!m->objects[i].p)
			return &m->objects[i];
	return NULL;
}

static struct object *
some_object(struct model *m, bool string)
{
	size_t from = random_below(OBJECTS);

	for (size_t i = 0; i < OBJECTS; i++) {
		struct object *o = &m->objects[(from + i) % OBJECTS];

		if (o->p && (string || !o->string))
			return o;
	}
	return NULL;
}

static bool
is_watched(const struct model *m, const struct object *o)
{
	for (int i = 0; i < m->task_count; i++)
		if (m->tasks[i]->watches == o)
			return true;
	return false;
}

static void
fill(struct object *o, unsigned char *p, size_t size)
{
	o->p = p;
	o->size = size;
	o->with = (unsigned char)(random_below(255) + 1);
	memset(p, o->with, size);
}

static void
check_failure(struct model *m, size_t used, size_t held)
{
	REQUIRE(errno == ENOMEM);
	m->failed = true;
	REQUIRE(acre_region_used(m->region) == used);
	REQUIRE(acre_region_held(m->region) == held);
}

/* What an object took of blocks: itself or, of a large one, its record. */
static void
check_taken(struct model *m, const struct object *o, size_t least,
	size_t most)
{
	size_t taken = small_used(m) - m->small;
	struct large *large = large_of(m, o);

	if (large) {
		REQUIRE(taken == 0 || taken == ALIGN_UP(sizeof(*large)));
		REQUIRE(o->p >= (unsigned char *)large->memory);
		REQUIRE(o->p + o->size <=
			(unsigned char *)large->memory + large->size);
	} else {
		REQUIRE(taken >= least && taken <= most);
	}
	m->small += taken;
}

static void
step_alloc(struct model *m)
{
	size_t size = random_size(), align = 1;
	size_t used = acre_region_used(m->region);
	size_t held = acre_region_held(m->region);
	struct object *o = free_slot(m);
	unsigned char *p;
	bool zero = false;

	if (!o)
		return;
	errno = 0;
	if (chance(20)) {
		align = (size_t)1 << random_below(15);
		p = acre_alloc_aligned(m->region, size, align);
	} else if (chance(20)) {
		p = acre_zalloc(m->region, size);
		zero = true;
	} else {
		p = acre_alloc(m->region, size);
	}
	if (!p) {
		check_failure(m, used, held);
		/* A large one's record may want a page, too. */
		if (align == 1 && only_budgets_limit(m))
			REQUIRE(!budgets_have(m->budget, least_for(size) +
				(size > pool->object_most ? pool->page_size :
							    0)));
		return;
	}
	REQUIRE((uintptr_t)p % align == 0);
	REQUIRE((uintptr_t)p % ACRE_ALIGN == 0);
	for (size_t i = 0; zero && i < size; i++)
		REQUIRE(p[i] == 0);
	*o = (struct object){.born = ++now};
	fill(o, p, size);
	check_taken(m, o, ALIGN_UP(size ? size : 1),
		ALIGN_UP(size ? size : 1) + (align > 16 ? align : 0));
}

static void
step_string(struct model *m)
{
	static char text[6000];
	size_t length = random_size() % sizeof(text);
	size_t used = acre_region_used(m->region);
	size_t held = acre_region_held(m->region);
	struct object *o = free_slot(m);
	unsigned char with = (unsigned char)(random_below(255) + 1);
	char *p;

	if (!o)
		return;
	memset(text, with, sizeof(text) - 1);
	errno = 0;
	p = chance(80) ? acre_strndup(m->region, text, length) :
		acre_asprintf(m->region, "%.*s", (int)length, text);
	if (!p) {
		check_failure(m, used, held);
		return;
	}
	REQUIRE(strlen(p) == length);
	*o = (struct object){.p = (unsigned char *)p, .size = length,
		.with = with, .string = true, .born = ++now};
	check_taken(m, o, length + 1, ALIGN_UP(length + 1));
}

static bool
is_at_tip(const struct model *m, const struct object *o)
{
	return (uintptr_t)o->p + ALIGN_UP(o->size ? o->size : 1) ==
		m->region->top;
}

/* Is there a mark that is younger than it? */
static bool
is_below_a_mark(const struct model *m, const struct object *o)
{
	return m->mark_count &&
		m->marks[m->mark_count - 1].time >= o->born;
}

static bool
is_inside(const struct large *large, const unsigned char *p)
{
	return (uintptr_t)p - (uintptr_t)large->memory < large->size;
}

static void
step_realloc(struct model *m)
{
	struct object *o = some_object(m, false);
	size_t used = acre_region_used(m->region);
	size_t held = acre_region_held(m->region);
	size_t size = random_size(), least, old_size;
	struct large *large;
	unsigned char *p;
	bool tip;

	if (!o || is_watched(m, o))
		return;
	check_object(o);
	large = large_of(m, o);
	tip = !large && is_at_tip(m, o);
	old_size = large && chance(50) ? ACRE_SIZE_UNKNOWN : o->size;
	least = size < o->size ? size : o->size;
	errno = 0;
	p = acre_realloc(m->region, o->p, old_size, size);
	if (!p) {
		check_failure(m, used, held);
		check_object(o);
		return;
	}
	for (size_t i = 0; i < least; i++)
		REQUIRE(p[i] == o->with);
	REQUIRE((uintptr_t)p % ACRE_ALIGN == 0);
	if (!large && !tip && size <= o->size)
		REQUIRE(p == o->p);
	if (!large && tip && size <= o->size)
		REQUIRE(m->region->top ==
			(uintptr_t)p + ALIGN_UP(size ? size : 1));
	/* What the source has moved is as old as it was. */
	if (p != o->p && !(large && is_inside(large, p)))
		o->born = ++now, o->forget = false;
	else if (!large && is_below_a_mark(m, o))
		o->forget = true; /* a rewind may cut it */
	/* Blocks have given or taken only what the tip moved, or what a new
	 * place took. */
	if (p == o->p && !tip)
		REQUIRE(small_used(m) == m->small);
	else
		REQUIRE(small_used(m) <= m->small + ALIGN_UP(size + 1) +
			ALIGN_UP(sizeof(struct large)));
	m->small = small_used(m);
	fill(o, p, size);
}

static void
step_free(struct model *m)
{
	struct object *o = some_object(m, false);
	size_t held = acre_region_held(m->region);
	size_t expected = m->small;
	struct large *large;

	if (!o || is_watched(m, o))
		return;
	check_object(o);
	large = large_of(m, o);
	if (large)
		held -= large->size;
	else if (is_at_tip(m, o))
		expected -= ALIGN_UP(o->size ? o->size : 1);
	acre_free(m->region, o->p, large && chance(50) ? ACRE_SIZE_UNKNOWN :
		o->size);
	o->p = NULL;
	REQUIRE(small_used(m) == expected);
	REQUIRE(acre_region_held(m->region) == held);
	m->small = expected;
}

/* ---- cleanups ---- */

enum { LOG = 1000 };
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

static void
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

static void
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

static void
step_close(struct model *m)
{
	begin_end(m, 0);
	acre_region_close(m->region);
	check_end();
	forget_since(m, 0);
	m->region = NULL;
	free(m->buffer);
}

static void
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

static void
step_mark(struct model *m)
{
	if (m->mark_count == MARKS)
		return;
	m->marks[m->mark_count++] = (struct mark){
		.mark = acre_region_mark(m->region), .time = ++now,
		.small = m->small, .blocks = block_bytes(m),
	};
}

static void
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

/* Make it, or end it where that can be. */
static void
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

static void
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

static void
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
	REQUIRE((m->first == 0) == (o.buffer_size >= 512));
}

static void
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

/* From its nth call from now the source fails, or no more. */
static void
step_source(void)
{
	source.fail_at = source.fail_at ? 0 :
		source.calls + source.resizes + 1 + random_below(5);
}

/* ---- runs ---- */

static void
step(void)
{
	struct model *m = &models[random_below(REGIONS)];
	size_t dice = random_below(100);

	if (chance(5))
		step_budget();
	else if (!m->region)
		step_open(m);
	else if (dice < 35)
		step_alloc(m);
	else if (dice < 45)
		step_string(m);
	else if (dice < 60)
		step_realloc(m);
	else if (dice < 70)
		step_free(m);
	else if (dice < 76)
		step_cleanup(m);
	else if (dice < 78)
		step_cancel(m);
	else if (dice < 84)
		step_mark(m);
	else if (dice < 90)
		step_rewind(m);
	else if (dice < 94)
		step_close(m);
	else if (dice < 96)
		step_reset(m);
	else if (dice < 97)
		step_detach(m);
	else
		step_source();
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region)
			check_region(&models[i]);
	check_pool();
	check_budgets();
}

/* Pools of every kind; those that name no source have the test's. */
static const struct {
	acre_pool_options options;
	bool resizes;
} pools[] = {
	{{0}, true},
	{{.chunk_size = PAGE}, false},
	{{.chunk_size = 64 * PAGE, .cache_bytes = 1}, true},
	{{.page_size = 64 * KIB, .chunk_size = MIB}, false},
	{{.chunk_size = 32 * PAGE, .max_bytes = 96 * PAGE}, true},
	{{.chunk_size = 16 * PAGE, .cache_bytes = 24 * PAGE}, false},
	{{.page_size = 2 * PAGE, .max_bytes = 100 * PAGE,
		.chunk_size = 50 * PAGE}, false},
	{{.source = &acre_malloc_allocator, .chunk_size = 16 * PAGE}, true},
	{{.source = &acre_mmap_allocator, .chunk_size = 64 * PAGE}, true},
};

static void
open_pool(void)
{
	size_t kind = random_below(COUNT(pools));
	acre_pool_options options = pools[kind].options;

	source = (struct test_source){.alignment = PAGE};
	test_source_init(&source);
	if (pools[kind].resizes)
		source.allocator.reallocate = test_source_reallocate;
	sourced = !options.source;
	if (sourced)
		options.source = &source.allocator;
	pool = pool_with(options);
}

static void
one_run(void)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
	now = 0;
	memset(models, 0, sizeof(models));
	memset(budgets, 0, sizeof(budgets));
	open_pool();
	for (at_step = 0; at_step < STEPS; at_step++) {
		step();
		if (at_step % 16 == 0)
			check_all();
	}
	check_all();
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && !models[i].parent)
			step_close(&models[i]);
	check_pool();
	REQUIRE(stats_of(pool).regions_open == 0);
	check_budgets();
	end_budgets();
	REQUIRE(acre_pool_destroy(pool) == 0);
	REQUIRE(source.live == 0);
}

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

START_TEST(random_sequences_are_as_the_model)
{
	uint64_t first = number_from("TEST_SEED", (uint64_t)time(NULL));
	uint64_t runs = number_from("TEST_RUNS", 0);
	uint64_t most = runs ? runs : RUNS;
	time_t end = time(NULL) + SECONDS;

	printf("TEST_SEED=%llu\n", (unsigned long long)first);
	fflush(stdout);
	for (seed = first; seed < first + most; seed++) {
		if (!runs && time(NULL) > end)
			break;
		one_run();
	}
	printf("%llu runs\n", (unsigned long long)(seed - first));
}
END_TEST

SUITE("property", random_sequences_are_as_the_model)
