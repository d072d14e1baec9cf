/* SPDX-License-Identifier: MIT */
/*
 * scheduler.c - who goes on, and what time it is.
 *
 * Threads are real, and hand a baton on: each has a semaphore, and all but one
 * wait for theirs. Two ways to choose, by the seed:
 *
 *   even   PCT: each thread has a priority, the highest that can go on does;
 *          at DEPTH - 1 points, chosen beforehand, who runs becomes the last.
 *          It finds a bug of that depth with a probability that is known
 *          (S. Burckhardt, P. Kothari, M. Musuvathi, S. Nagarakatte, "A
 *          randomized scheduler with probabilistic guarantees of finding
 *          bugs", ASPLOS 2010).
 *   odd    a random thread, at one of 2, 8 or 32 points
 *
 * Time stands still while threads run; now and then, and when nobody can go on,
 * the next wait's limit is reached.
 */
#include "schedule/schedule.h"

#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEPTH 3
#define POINTS_EXPECTED 1500 /* among which priorities change */
#define POINTS_MOST 1000000
#define FAIR_EVERY 2000 /* points, who runs becomes the last: all get a turn */

struct task {
	sem_t baton;
	bool used;
	bool left;
	bool (*ready)(const void *argument); /* NULL: it does not wait */
	const void *argument;
	uint64_t until; /* 0: no limit */
	bool late;      /* the limit has been reached */
	int64_t priority;
};

static struct {
	bool on;
	bool is_pct;
	uint64_t random;
	uint64_t spread; /* a switch at one of so many points */
	uint64_t pace; /* time passes at one of so many points */
	uint64_t points;
	uint64_t changes[DEPTH - 1];
	uint64_t now;
	uint64_t trace;
	int64_t lowest;
	unsigned current;
	unsigned count;
	struct task tasks[TASKS_MOST];
} scheduler;

/* As chance_next in stress/common.c. */
static uint64_t
next_random(void)
{
	uint64_t z = scheduler.random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t
scheduler_chance(uint64_t n)
{
	return next_random() % n;
}

void
scheduler_begin(uint64_t seed)
{
	scheduler.random = seed;
	scheduler.is_pct = seed % 2 == 0;
	next_random();
	scheduler.spread = (uint64_t)2 << 2 * scheduler_chance(3);
	scheduler.pace = scheduler_chance(2) ? 16 : 128;
	for (int i = 0; i < DEPTH - 1; i++)
		scheduler.changes[i] = scheduler_chance(POINTS_EXPECTED);
	scheduler.on = true;
	scheduler.current = scheduler_add();
}

bool
scheduler_is_on(void)
{
	return scheduler.on;
}

unsigned
scheduler_me(void)
{
	return scheduler.current;
}

uint64_t
scheduler_now(void)
{
	return scheduler.now;
}

uint64_t
scheduler_trace(void)
{
	return scheduler.trace;
}

uint64_t
scheduler_points(void)
{
	return scheduler.points;
}

/* ---- who can, and who does ---- */

static bool
can_go_on(const struct task *task)
{
	return task->used && !task->left &&
		(!task->ready || task->late || task->ready(task->argument));
}

/* Reach the limit of the wait that comes first. False: there is none. */
static bool
let_time_pass(void)
{
	struct task *first = NULL;

	for (unsigned i = 0; i < scheduler.count; i++) {
		struct task *task = &scheduler.tasks[i];

		if (task->left || !task->until || task->late ||
			task->ready(task->argument))
			continue;
		if (!first || task->until < first->until)
			first = task;
	}
	if (!first)
		return false;
	if (scheduler.now < first->until)
		scheduler.now = first->until;
	first->late = true;
	return true;
}

static unsigned
find_able(unsigned *able)
{
	unsigned count = 0;

	for (unsigned i = 0; i < scheduler.count; i++)
		if (can_go_on(&scheduler.tasks[i]))
			able[count++] = i;
	return count;
}

static unsigned
highest(const unsigned *able, unsigned count)
{
	unsigned best = able[0];

	for (unsigned i = 1; i < count; i++)
		if (scheduler.tasks[able[i]].priority >
			scheduler.tasks[best].priority)
			best = able[i];
	return best;
}

static void
make_lowest(struct task *task)
{
	task->priority = --scheduler.lowest;
}

static unsigned
choose(const unsigned *able, unsigned count)
{
	const struct task *current = &scheduler.tasks[scheduler.current];

	if (scheduler.is_pct)
		return highest(able, count);
	if (can_go_on(current) && scheduler_chance(scheduler.spread))
		return scheduler.current;
	return able[scheduler_chance(count)];
}

/* Hand the baton on to whoever is chosen; the caller gets it back some time,
 * unless it has left. */
static void
hand_on(void)
{
	unsigned able[TASKS_MOST], count, next, me = scheduler.current;

	while (!(count = find_able(able)))
		if (!let_time_pass())
			schedule_fail("every thread waits for another");
	next = choose(able, count);
	scheduler.trace = (scheduler.trace ^ next) * 0x100000001b3;
	if (next == me)
		return;
	scheduler.current = next;
	sem_post(&scheduler.tasks[next].baton);
	if (!scheduler.tasks[me].left)
		while (sem_wait(&scheduler.tasks[me].baton))
			;
}

void
scheduler_point(void)
{
	if (!scheduler.on)
		return;
	if (++scheduler.points > POINTS_MOST)
		schedule_fail("no end after %d points", POINTS_MOST);
	for (int i = 0; i < DEPTH - 1; i++)
		if (scheduler.changes[i] == scheduler.points)
			make_lowest(&scheduler.tasks[scheduler.current]);
	if (scheduler.points % FAIR_EVERY == 0)
		make_lowest(&scheduler.tasks[scheduler.current]);
	if (!scheduler_chance(scheduler.pace))
		let_time_pass();
	hand_on();
}

void
scheduler_yield(void)
{
	make_lowest(&scheduler.tasks[scheduler.current]);
	let_time_pass();
	scheduler_point();
}

bool
scheduler_wait(bool (*ready)(const void *argument), const void *argument,
	uint64_t limit)
{
	struct task *task = &scheduler.tasks[scheduler.current];
	bool late;

	task->ready = ready;
	task->argument = argument;
	task->until = limit ? scheduler.now + limit : 0;
	scheduler_point();
	late = task->late;
	task->ready = NULL;
	task->until = 0;
	task->late = false;
	return !late || ready(argument);
}

/* ---- threads come and go ---- */

unsigned
scheduler_add(void)
{
	unsigned number = scheduler.count++;
	struct task *task = &scheduler.tasks[number];

	if (number == TASKS_MOST)
		schedule_fail("more than %d threads", TASKS_MOST);
	sem_init(&task->baton, 0, 0);
	task->used = true;
	task->priority = (int64_t)(next_random() >> 2);
	return number;
}

void
scheduler_enter(unsigned task)
{
	while (sem_wait(&scheduler.tasks[task].baton))
		;
}

void
scheduler_leave(void)
{
	scheduler.tasks[scheduler.current].left = true;
	hand_on();
}

bool
scheduler_has_left(unsigned task)
{
	return scheduler.tasks[task].left;
}

void
schedule_fail(const char *format, ...)
{
	va_list ap;

	scheduler.on = false;
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf(" (after %llu points, trace %016llx)\n",
		(unsigned long long)scheduler.points,
		(unsigned long long)scheduler.trace);
	fflush(stdout);
	_exit(1);
}
