/* SPDX-License-Identifier: MIT */
/*
 * memory.c - what a load may read.
 *
 *   location    w0 --> w1 --> w2 --> w3        modification order
 *                      ^             ^
 *                thread 1's      thread 2's    view: what it has seen
 *
 * A load reads any write that is not before the thread's view of the location;
 * a store goes anywhere behind it, but not between a read-modify-write and
 * what that has read. A release store carries its thread's view with it, an
 * acquire load takes it over; a read-modify-write hands on what its
 * predecessor carried. That is RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer,
 * "Repairing sequential consistency in C/C++11", PLDI 2017) but for seq_cst,
 * which order.c looks after: nothing is read out of thin air, since a load
 * reads only what is written already.
 *
 * A location's first value is what is in memory; stores do not go there. So
 * memory is as it was when the next execution begins.
 */
#include "explore/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seam/stdatomic.h"

#define WRITES_MOST 40
#define ASKED_MOST 256

struct write {
	uint64_t value;
	int position;
	bool is_read; /* by a read-modify-write, which comes next */
	struct view view;
};

struct location {
	const volatile void *address;
	int count;
	struct write writes[WRITES_MOST];
	uint8_t at[WRITES_MOST]; /* by position: number of the write */
};

static struct memory {
	struct location locations[LOCATIONS_MOST];
	int location_count;
	struct view views[THREADS_MOST];
	unsigned spurious; /* failures for no reason that are left */
	struct weakening weakening;
	struct asked asked[ASKED_MOST];
	size_t asked_count;
} *memory;

void
memory_init(void)
{
	memory = engine_alloc(sizeof(*memory));
}

void
memory_reset(unsigned spurious)
{
	memory->location_count = 0;
	memory->spurious = spurious;
	memset(memory->views, 0, sizeof(memory->views));
}

struct view *
memory_view(unsigned thread)
{
	return &memory->views[thread];
}

static struct view *
my_view(void)
{
	return &memory->views[engine_thread()];
}

moment
memory_tick_of(unsigned thread)
{
	return ++memory->views[thread].clock[thread];
}

moment
memory_tick(void)
{
	return memory_tick_of(engine_thread());
}

/* ---- views ---- */

static int
position_seen(int l, const struct view *view)
{
	return memory->locations[l].writes[view->seen[l]].position;
}

void
view_join_seen(struct view *view, const struct view *other)
{
	for (int l = 0; l < memory->location_count; l++)
		if (position_seen(l, view) < position_seen(l, other))
			view->seen[l] = other->seen[l];
}

void
view_join(struct view *view, const struct view *other)
{
	view_join_seen(view, other);
	for (int t = 0; t < THREADS_MOST; t++)
		if (view->clock[t] < other->clock[t])
			view->clock[t] = other->clock[t];
}

/* ---- locations and their writes ---- */

static int
find_location(const volatile void *p, size_t size)
{
	struct location *location;

	for (int l = 0; l < memory->location_count; l++)
		if (memory->locations[l].address == p)
			return l;
	if (memory->location_count == LOCATIONS_MOST)
		engine_limit("more than %d locations", LOCATIONS_MOST);
	location = &memory->locations[memory->location_count];
	location->address = p;
	location->count = 1;
	location->at[0] = 0;
	location->writes[0] = (struct write){0};
	memcpy(&location->writes[0].value, (const void *)p, size);
	return memory->location_count++;
}

static struct write *
write_at(int l, int position)
{
	struct location *location = &memory->locations[l];

	return &location->writes[location->at[position]];
}

/* Put a new write in; returns it. */
static struct write *
insert(int l, int position, uint64_t value)
{
	struct location *location = &memory->locations[l];
	int number = location->count++;

	if (number + 1 == WRITES_MOST)
		engine_limit("more than %d writes of a word", WRITES_MOST);
	if (position < number)
		order_shift(l, position);
	for (int i = number; i > position; i--) {
		location->at[i] = location->at[i - 1];
		write_at(l, i)->position = i;
	}
	location->at[position] = (uint8_t)number;
	location->writes[number] = (struct write){
		.value = value, .position = position};
	return &location->writes[number];
}

/* ---- orders ---- */

static bool
acquires(int order)
{
	return order == memory_order_acquire ||
		order == memory_order_acq_rel || order == memory_order_seq_cst;
}

static bool
releases(int order)
{
	return order == memory_order_release ||
		order == memory_order_acq_rel || order == memory_order_seq_cst;
}

const char *
order_name(int order)
{
	static const char *const names[] = {"relaxed", "consume", "acquire",
		"release", "acq_rel", "seq_cst"};

	return names[order];
}

size_t
memory_asked(const struct asked **asked)
{
	*asked = memory->asked;
	return memory->asked_count;
}

void
memory_weaken(struct weakening weakening)
{
	memory->weakening = weakening;
}

/* An inline function's operation has a site in each file that calls it. */
static bool
is_same(const struct seam_site *a, const struct seam_site *b)
{
	return a == b || (a && a->line == b->line &&
		!strcmp(a->function, b->function) && !strcmp(a->file, b->file));
}

static void
remember(const struct seam_site *site, enum role role, int order)
{
	struct asked *asked = memory->asked;

	for (size_t i = 0; i < memory->asked_count; i++, asked++)
		if (asked->role == role && is_same(asked->site, site))
			return;
	if (memory->asked_count == ASKED_MOST)
		engine_limit("more than %d orders", ASKED_MOST);
	*asked = (struct asked){site, role, order};
	memory->asked_count++;
}

/* The order that counts. */
static int
effective(const struct seam_site *site, enum role role, int order)
{
	if (order != memory_order_relaxed)
		remember(site, role, order);
	if (memory->weakening.role == role &&
		is_same(memory->weakening.site, site))
		return memory->weakening.order;
	return order;
}

/* ---- the operations ---- */

static void
step(enum kind kind, const volatile void *p, const char *name)
{
	engine_step((struct step){
		.kind = kind, .what = (const void *)p, .name = name});
}

static void
take_over(struct view *view, int l, const struct write *read, int order)
{
	view->seen[l] = (uint8_t)(read - memory->locations[l].writes);
	if (acquires(order))
		view_join(view, &read->view);
}

/* What a write carries: all that its thread knows, or itself alone; and what
 * the write carried that it has read. */
static void
carry(struct write *write, int l, const struct view *view, int order,
	const struct write *read)
{
	if (releases(order))
		write->view = *view;
	write->view.seen[l] =
		(uint8_t)(write - memory->locations[l].writes);
	if (read)
		view_join(&write->view, &read->view);
}

static int
record(int l, int reads, int writes, int order)
{
	moment time = memory_tick();

	return order_add(&(struct event){
		.thread = engine_thread(),
		.time = time,
		.location = l,
		.reads = reads,
		.writes = writes,
		.seq_cst = order == memory_order_seq_cst,
	});
}

/* The newest comes first: so the first executions are those of a machine
 * without any reordering. */
static int
choose_position(int least, int most)
{
	return most - (int)engine_choose((unsigned)(most - least + 1));
}

static uint64_t
read_at(const struct seam_site *site, int l, int position, int order)
{
	struct view *view = my_view();
	const struct write *read = write_at(l, position);

	take_over(view, l, read, order);
	record(l, position, -1, order);
	memory_tick();
	engine_note(site, "load %s %p: %#llx%s", order_name(order),
		(const void *)memory->locations[l].address,
		(unsigned long long)read->value,
		position + 1 < memory->locations[l].count ? " (old)" : "");
	return read->value;
}

uint64_t
seam_load(const struct seam_site *site, const volatile void *p, size_t size,
	int order)
{
	int l;

	order = effective(site, LOADS, order);
	step(READ, p, "load");
	race_access(p, size, false, true);
	l = find_location(p, size);
	return read_at(site, l,
		choose_position(position_seen(l, my_view()),
			memory->locations[l].count - 1), order);
}

/* The places behind what the thread has seen, the last first. */
static int
choose_place(int l)
{
	const struct location *location = &memory->locations[l];
	int places[WRITES_MOST], count = 0;

	for (int i = location->count; i > position_seen(l, my_view()); i--)
		if (!write_at(l, i - 1)->is_read)
			places[count++] = i;
	return places[engine_choose((unsigned)count)];
}

void
seam_store(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t value, int order)
{
	struct view *view = my_view();
	struct write *write;
	int l;

	order = effective(site, STORES, order);
	step(WRITE, p, "store");
	race_access(p, size, true, true);
	l = find_location(p, size);
	write = insert(l, choose_place(l), value);
	view->seen[l] = (uint8_t)(write - memory->locations[l].writes);
	record(l, -1, write->position, order);
	carry(write, l, view, order, NULL);
	memory_tick();
	engine_note(site, "store %s %p = %#llx", order_name(order),
		(void *)p, (unsigned long long)value);
}

/* Read what is at a position and write behind it, at once. */
static void
modify_at(int l, int position, uint64_t value, int order)
{
	struct view *view = my_view();
	struct write *read = write_at(l, position);
	struct write *write;

	take_over(view, l, read, order);
	read->is_read = true;
	write = insert(l, position + 1, value);
	view->seen[l] = (uint8_t)(write - memory->locations[l].writes);
	record(l, position, position + 1, order);
	carry(write, l, view, order, read);
	memory_tick();
}

uint64_t
seam_rmw(const struct seam_site *site, volatile void *p, size_t size,
	enum seam_rmw what, uint64_t operand, int order)
{
	int places[WRITES_MOST], count = 0, position, l;
	uint64_t before;

	order = effective(site, MODIFIES, order);
	step(WRITE, p, "read-modify-write");
	race_access(p, size, true, true);
	l = find_location(p, size);
	for (int i = memory->locations[l].count;
		i-- > position_seen(l, my_view());)
		if (!write_at(l, i)->is_read)
			places[count++] = i;
	position = places[engine_choose((unsigned)count)];
	before = write_at(l, position)->value;
	modify_at(l, position, seam_compute(what, before, operand, size),
		order);
	engine_note(site, "read-modify-write %s %p: %#llx", order_name(order),
		(void *)p, (unsigned long long)before);
	return before;
}

/* What a compare-and-swap can come upon: a write that it swaps, or one that it
 * only reads. */
struct chance {
	int position;
	bool swaps;
};

static int
list_chances(int l, uint64_t expected, bool weak, struct chance *chances)
{
	int count = 0;

	for (int i = memory->locations[l].count;
		i-- > position_seen(l, my_view());) {
		const struct write *write = write_at(l, i);

		if (write->value == expected && !write->is_read)
			chances[count++] = (struct chance){i, true};
		else if (write->value != expected)
			chances[count++] = (struct chance){i, false};
		if (write->value == expected && weak && memory->spurious)
			chances[count++] = (struct chance){i, false};
	}
	return count;
}

bool
seam_cas(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t *expected, uint64_t value, int success, int failure,
	bool weak)
{
	struct chance chances[2 * WRITES_MOST], chance;
	uint64_t wanted = *expected;
	int l, count;

	success = effective(site, MODIFIES, success);
	failure = effective(site, FAILS, failure);
	step(WRITE, p, "compare-and-swap");
	race_access(p, size, true, true);
	l = find_location(p, size);
	count = list_chances(l, wanted, weak, chances);
	if (!count)
		engine_impossible(); /* swapped already, and no other value */
	chance = chances[engine_choose((unsigned)count)];
	if (!chance.swaps) {
		*expected = read_at(site, l, chance.position, failure);
		memory->spurious -= *expected == wanted;
		return false;
	}
	modify_at(l, chance.position, value, success);
	engine_note(site, "swap %s %p: %#llx -> %#llx", order_name(success),
		(void *)p, (unsigned long long)wanted,
		(unsigned long long)value);
	return true;
}

void
seam_fence(const struct seam_site *site, int order)
{
	explore_fail("%s: a fence, %s, which this does not know",
		site->function, order_name(order));
}
