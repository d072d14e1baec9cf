/* SPDX-License-Identifier: MIT */
/*
 * engine.h - what the parts of the explorer know of each other.
 *
 * All that the program has in its data, also lib/'s statics, is put back
 * before each execution; so the parts keep what they know in memory from
 * engine_alloc, and find it through pointers that are set once.
 */
#ifndef ACRE_EXPLORE_ENGINE_H
#define ACRE_EXPLORE_ENGINE_H

#include "explore/explore.h"
#include "seam/seam.h"

void *engine_alloc(size_t size);

/* ---- explore.c: executions; fibre.c: threads ---- */

/* What a thread is about to do; two that do not touch the same thing may
 * change places. */
enum kind {
	READ,   /* a word of memory */
	WRITE,
	ENTER,  /* RCU */
	LEAVE,
	BEGIN,  /* a grace period */
	FINISH,
	LOCK,   /* a mutex or what belongs to one; NULL: any of them */
	EVERYWHERE, /* membarrier: all that anybody does */
	LOCAL   /* what nobody notices */
};

struct step {
	enum kind kind;
	const void *what;
	/* Whether it can be done now; NULL: always. */
	bool (*can)(const void *argument);
	const void *argument;
	const char *name; /* for the report */
};

/* The calling thread waits until it is to do this. */
void engine_step(struct step step);

/* Which of count ways to go. */
unsigned engine_choose(unsigned count);

/* The scenario is too large for this. */
_Noreturn void engine_limit(const char *format, int most);

/* The execution cannot be: it is not counted. */
_Noreturn void engine_impossible(void);

/* The number of the calling thread; whether no other is under way. */
unsigned engine_thread(void);
bool engine_is_alone(void);

/* A new thread; it knows what its creator knows. */
unsigned engine_create(void *(*body)(void *), void *argument);
bool engine_has_ended(unsigned thread);
void *engine_result(unsigned thread);

/* The calling thread, when it sleeps, may do so for ever. */
void engine_may_sleep(bool may);

/* Whether p is a fibre's stack or thread-local. */
bool engine_is_private(const void *p);

/* A line for the report of this execution, when there is one. */
void engine_note(const struct seam_site *site, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Go through all executions of a scenario, stop at the first failure. */
struct outcome {
	bool failed;
	bool cut;             /* there are more */
	uint64_t executions;  /* that went to their end */
	uint64_t redundant;   /* given up: same as another */
	uint64_t impossible;
	char why[256];
	char *report;         /* what led there */
};
struct outcome engine_explore(const struct scenario *scenario, uint64_t most);
/* Whether to leave turns out that lead to nothing new; it does, until told.
 * The number of executions must be the same without. */
void engine_reduce(bool reduce);
void engine_init(void);

/* ---- steps.c ---- */

void steps_init(void);
void steps_reset(void);

/* Whether two steps may change places. */
bool steps_commute(const struct step *a, const struct step *b);

/*
 * thread is about to do a step, by the choice of that number. Calls race for
 * each step before, by number, that it does not commute with and that it does
 * not come after anyway: the two might have come the other way round.
 */
void steps_add(unsigned thread, const struct step *step, unsigned choice,
	void (*race)(unsigned i));

/* The threads that can begin, from where step i was done, a way on which the
 * last step is done without it. */
uint32_t steps_beginners(unsigned i);

/* The choice that step i was done by. */
unsigned steps_choice(unsigned i);

/* Whether the last step had to wait for something. */
bool steps_last_waits(void);

/* ---- memory.c ---- */

/* Where a thread has come to: what it must see of each location at least, by
 * number of the write; and which events of each thread happen before. */
#define LOCATIONS_MOST 40
typedef uint16_t moment;

struct view {
	uint8_t seen[LOCATIONS_MOST];
	moment clock[THREADS_MOST];
};

void memory_init(void);
void memory_reset(unsigned spurious);
struct view *memory_view(unsigned thread);
void view_join(struct view *view, const struct view *other);
void view_join_seen(struct view *view, const struct view *other);
/* A thread does something that the others' clocks can tell. */
moment memory_tick(void);
moment memory_tick_of(unsigned thread);

/* An order that is to be another: for what a site asks with the first, it gets
 * the second. */
enum role { LOADS, STORES, MODIFIES, FAILS };
struct weakening {
	const struct seam_site *site; /* NULL: none */
	enum role role;
	int order;
};
void memory_weaken(struct weakening weakening);

/* The orders that were asked for so far. */
struct asked {
	const struct seam_site *site;
	enum role role;
	int order;
};
size_t memory_asked(const struct asked **asked);
const char *order_name(int order);

/* ---- order.c: the one order of seq_cst operations and fences ---- */

struct event {
	unsigned thread;
	moment time;
	int location;    /* -1: none */
	int reads;       /* position of the write; -1: does not */
	int writes;      /* the same */
	bool seq_cst;
	bool is_entry;   /* a section begins after a grace period does */
};

void order_init(void);
void order_reset(void);
/* A write has come in at a position: those behind have moved. */
void order_shift(int location, int position);
/* Add an event of the calling thread; returns its number. Ends the execution
 * if there is no order. */
int order_add(const struct event *event);
void order_edge(int from, int to);

/* ---- rcu.c ---- */

void rcu_init(void);
void rcu_reset(void);
/* What a grace period or a membarrier does without, to see what comes of
 * it. */
struct without {
	bool waiting; /* for sections */
	bool fence;   /* at its beginning */
	bool sections;
	bool membarrier;
};
void rcu_go_without(struct without without);

/* ---- membarrier.c ---- */

void membarrier_init(void);
/* It orders nothing. */
void membarrier_go_without(bool order);

/* ---- race.c ---- */

void race_init(void);
void race_reset(void);
void race_access(const volatile void *p, size_t size, bool writes,
	bool is_atomic);

/* ---- thread.c ---- */

void thread_init(void);
void thread_reset(void);

#endif
