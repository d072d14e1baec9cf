/* SPDX-License-Identifier: MIT */
/*
 * explore.c - executions, one after the other, each another list of choices.
 *
 *   choices    [ thread 2 ][ thread 1 ][ write 3 ][ thread 1 ] ...
 *
 * Each thread is a fibre (fibre.c) that stops before every operation that
 * others could notice, and says which. An execution begins anew, follows the
 * list of the one before up to the last choice that has another way left, and
 * goes that way.
 *
 * Executions that differ only in the order of operations which do not touch
 * the same thing are the same (steps.c); of those all but one are left out by
 * sleep sets (P. Godefroid, "Partial-order methods for the verification of
 * concurrent systems", LNCS 1032): when all that follows a thread's step was
 * seen, that thread sleeps until somebody does a step that does not commute
 * with it. And a thread has a turn only where that makes a step come before
 * another that it does not commute with (source sets: P. Abdulla, S. Aronis,
 * B. Jonsson, K. Sagonas, "Optimal dynamic partial order reduction", POPL
 * 2014).
 */
#include "explore/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "explore/fibre.h"

#define CHOICES_MOST 4096
#define REPORT_MOST ((size_t)64 << 10)

/* The program's data, which the linker names. */
extern char __data_start[], _end[];

struct choice {
	bool is_thread;
	uint8_t count; /* of ways, when it is not a thread's */
	uint8_t taken;
	uint32_t enabled; /* threads */
	uint32_t wanted;  /* threads that must have a turn here */
	uint32_t asleep;  /* before it */
	uint32_t done;
};

enum end { RUNS, DONE, FAILED, IMPOSSIBLE, REDUNDANT };

static struct engine {
	enum end end;

	struct choice choices[CHOICES_MOST];
	bool unreduced;
	unsigned length; /* of the list that is followed, then added to */
	unsigned place;
	uint32_t asleep;

	char *data; /* as the program's was at the beginning */

	struct outcome outcome;
	bool noting;
	size_t noted;
	char report[REPORT_MOST];
} *engine;

void *
engine_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		fprintf(stderr, "explore: no memory\n");
		exit(3);
	}
	return p;
}

/* ---- reports ---- */

void
engine_note(const struct seam_site *site, const char *format, ...)
{
	size_t room = REPORT_MOST - engine->noted;
	char text[160];
	va_list ap;
	int n;

	if (!engine->noting)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	n = snprintf(engine->report + engine->noted, room,
		"  %u  %-18s %4d  %s\n", engine_thread(),
		site ? site->function : "", site ? site->line : 0, text);
	if (n > 0 && (size_t)n < room)
		engine->noted += (size_t)n;
}

/* ---- ends ---- */

static _Noreturn void
leave(enum end end)
{
	engine->end = end;
	fibre_leave();
}

void
explore_fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(engine->outcome.why, sizeof(engine->outcome.why), format,
		ap);
	va_end(ap);
	leave(FAILED);
}

void
engine_limit(const char *format, int most)
{
	fprintf(stderr, "explore: ");
	fprintf(stderr, format, most);
	fputc('\n', stderr);
	exit(3);
}

void
engine_impossible(void)
{
	leave(IMPOSSIBLE);
}

/* ---- choices ---- */

static struct choice *
next_choice(void)
{
	struct choice *choice = &engine->choices[engine->place++];

	if (engine->place == CHOICES_MOST)
		engine_limit("more than %d choices", CHOICES_MOST);
	if (engine->place <= engine->length)
		return choice;
	engine->length = engine->place;
	*choice = (struct choice){0};
	return choice;
}

unsigned
engine_choose(unsigned count)
{
	struct choice *choice;

	if (count <= 1 || engine_is_alone())
		return 0;
	choice = next_choice();
	choice->count = (uint8_t)count;
	return choice->taken;
}

static uint32_t
find_enabled(void)
{
	uint32_t enabled = 0;

	for (unsigned t = 1; t < fibre_count(); t++)
		if (fibre_can_step(t))
			enabled |= (uint32_t)1 << t;
	return enabled;
}

/* The one that is under way, if it may, else the first. */
static uint8_t
pick(uint32_t candidates)
{
	if (candidates >> engine_thread() & 1)
		return (uint8_t)engine_thread();
	return (uint8_t)__builtin_ctz(candidates);
}

/* Who of the sleepers goes on sleeping when thread does its step. */
static uint32_t
still_asleep(uint32_t asleep, unsigned thread)
{
	for (unsigned t = 1; t < fibre_count(); t++)
		if (asleep >> t & 1 &&
			!steps_commute(fibre_next(t), fibre_next(thread)))
			asleep &= ~((uint32_t)1 << t);
	return asleep & ~((uint32_t)1 << thread);
}

/* Where a step was done, somebody shall have a turn who makes the last step
 * come before it. */
static void
reverse(unsigned race)
{
	struct choice *choice = &engine->choices[steps_choice(race)];
	uint32_t beginners;

	if (steps_last_waits()) {
		/* Who lets it go first is not looked for: all are tried. */
		choice->wanted |= choice->enabled;
		return;
	}
	beginners = steps_beginners(race);
	if (!(beginners & (choice->wanted | choice->asleep)))
		choice->wanted |= beginners & -beginners;
}

static void
play(const struct choice *choice, unsigned thread)
{
	steps_add(thread, fibre_next(thread),
		(unsigned)(choice - engine->choices), reverse);
}

/* Let one of the enabled threads do its step. */
static void
schedule(uint32_t enabled)
{
	struct choice *choice = next_choice();
	unsigned thread;

	if (!choice->enabled) {
		choice->is_thread = true;
		choice->enabled = enabled;
		choice->asleep = engine->asleep;
		if (!(enabled & ~engine->asleep)) {
			engine->end = REDUNDANT;
			return;
		}
		choice->taken = pick(enabled & ~engine->asleep);
		choice->wanted = engine->unreduced ?
			enabled : (uint32_t)1 << choice->taken;
	}
	thread = choice->taken;
	engine->asleep = still_asleep(choice->asleep | choice->done, thread);
	play(choice, thread);
	fibre_go_on(thread);
}

/* Turn to the last choice that has another way left; false: there is none. */
static bool
turn(void)
{
	while (engine->length) {
		struct choice *choice = &engine->choices[engine->length - 1];
		uint32_t left;

		if (!choice->is_thread && ++choice->taken < choice->count)
			return true;
		if (choice->is_thread) {
			choice->done |= (uint32_t)1 << choice->taken;
			left = choice->wanted & ~choice->asleep &
				~choice->done;
			fibre_make_current(0);
			if (left) {
				choice->taken = pick(left);
				return true;
			}
		}
		engine->length--;
	}
	return false;
}

/* ---- executions ---- */

static void
reset(const struct scenario *scenario)
{
	memcpy(__data_start, engine->data, (size_t)(_end - __data_start));
	memory_reset(scenario->spurious);
	order_reset();
	rcu_reset();
	race_reset();
	thread_reset();
	steps_reset();
	engine->place = 0;
	engine->asleep = 0;
	engine->noted = 0;
	engine->end = RUNS;
}

static void
start_threads(const struct scenario *scenario)
{
	for (int i = 0; i < SCENARIO_THREADS && scenario->threads[i]; i++) {
		fibre_make_current(0);
		fibre_create(scenario->threads[i]);
	}
}

/* When nobody can go on: all have ended, or sleep as they may. */
static void
rest(const struct scenario *scenario)
{
	fibre_make_current(0);
	for (unsigned t = 1; t < fibre_count(); t++) {
		if (!engine_has_ended(t) && !fibre_may_sleep(t)) {
			snprintf(engine->outcome.why,
				sizeof(engine->outcome.why),
				"thread %u waits for ever, in %s", t,
				fibre_next(t)->name);
			engine->end = FAILED;
			return;
		}
		if (engine_has_ended(t))
			view_join(memory_view(0), memory_view(t));
	}
	fibre_run_alone(scenario->end);
	if (engine->end == RUNS)
		engine->end = DONE;
}

static void
execute(const struct scenario *scenario)
{
	reset(scenario);
	fibre_reset();
	fibre_run_alone(scenario->begin);
	if (engine->end != RUNS)
		return;
	start_threads(scenario);
	while (engine->end == RUNS) {
		uint32_t enabled = find_enabled();

		if (enabled)
			schedule(enabled);
		else
			rest(scenario);
	}
}

/* Once more, and write down what happens. */
static void
report(const struct scenario *scenario)
{
	engine->noting = true;
	execute(scenario);
	engine->noting = false;
	engine->outcome.failed = true;
	engine->outcome.report = engine->report;
}

void
engine_reduce(bool reduce)
{
	engine->unreduced = !reduce;
}

struct outcome
engine_explore(const struct scenario *scenario, uint64_t most)
{
	engine->outcome = (struct outcome){0};
	engine->length = 0;
	do {
		execute(scenario);
		if (engine->end == FAILED) {
			report(scenario);
			break;
		}
		engine->outcome.executions += engine->end == DONE;
		engine->outcome.redundant += engine->end == REDUNDANT;
		engine->outcome.impossible += engine->end == IMPOSSIBLE;
		engine->outcome.cut = engine->outcome.executions +
				engine->outcome.redundant +
				engine->outcome.impossible >= most;
	} while (!engine->outcome.cut && turn());
	return engine->outcome;
}

void
engine_init(void)
{
	engine = engine_alloc(sizeof(*engine));
	fibre_init();
	memory_init();
	order_init();
	rcu_init();
	membarrier_init();
	race_init();
	thread_init();
	steps_init();
	engine->data = engine_alloc((size_t)(_end - __data_start));
	memcpy(engine->data, __data_start, (size_t)(_end - __data_start));
}
