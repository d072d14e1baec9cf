/* SPDX-License-Identifier: MIT */
/*
 * fibre.c - threads as fibres, one at a time.
 *
 *   explore.c   --go on-->  fibre    up to its next step
 *               <--stop---           before it
 *               <--leave--           and never again: the execution is given up
 *
 * Each has a stack of its own and its own copy of what is thread-local, which
 * is put in its place while it runs.
 */
#undef _FORTIFY_SOURCE /* its longjmp is for one stack only */

#include "explore/fibre.h"

#include <link.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK_SIZE ((size_t)128 << 10)
#define TLS_MOST 1024

struct fibre {
	ucontext_t context; /* its beginning */
	jmp_buf place; /* where it goes on */
	bool begun;
	char *stack;
	void *(*body)(void *);
	void (*simple)(void);
	void *argument;
	void *result;
	bool ended;
	bool may_sleep;
	struct step next;
	char tls[TLS_MOST];
};

static struct fibres {
	struct fibre of[THREADS_MOST];
	unsigned count;
	unsigned current;
	bool alone;
	jmp_buf scheduler;

	char *tls; /* as it was at the beginning */
	char *tls_place;
	size_t tls_size;
} *fibres;

/* ---- what the parts ask ---- */

unsigned
engine_thread(void)
{
	return fibres->current;
}

bool
engine_is_alone(void)
{
	return fibres->alone;
}

bool
engine_has_ended(unsigned thread)
{
	return fibres->of[thread].ended;
}

void *
engine_result(unsigned thread)
{
	return fibres->of[thread].result;
}

void
engine_may_sleep(bool may)
{
	fibres->of[fibres->current].may_sleep = may;
}

static bool
is_within(const void *p, const char *start, size_t size)
{
	return (const char *)p >= start && (const char *)p < start + size;
}

bool
engine_is_private(const void *p)
{
	for (unsigned t = 0; t < fibres->count; t++)
		if (is_within(p, fibres->of[t].stack, STACK_SIZE))
			return true;
	return is_within(p, fibres->tls_place, fibres->tls_size);
}

/* ---- fibres ---- */

void
fibre_leave(void)
{
	_longjmp(fibres->scheduler, 1);
}

static void
switch_to(struct fibre *fibre)
{
	if (_setjmp(fibres->scheduler))
		return;
	if (fibre->begun)
		_longjmp(fibre->place, 1);
	fibre->begun = true;
	setcontext(&fibre->context);
}

void
fibre_go_on(unsigned thread)
{
	struct fibre *fibre = &fibres->of[thread];

	fibres->current = thread;
	memcpy(fibres->tls_place, fibre->tls, fibres->tls_size);
	switch_to(fibre);
	memcpy(fibre->tls, fibres->tls_place, fibres->tls_size);
}

static void
stop(void)
{
	struct fibre *fibre = &fibres->of[fibres->current];

	if (!_setjmp(fibre->place))
		_longjmp(fibres->scheduler, 1);
}

static void
run_fibre(void)
{
	struct fibre *fibre = &fibres->of[fibres->current];

	if (fibre->simple)
		fibre->simple();
	else
		fibre->result = fibre->body(fibre->argument);
	fibre->ended = true;
	stop();
}

/* Let a thread begin; it runs up to its first step. */
static void
start(unsigned thread)
{
	struct fibre *fibre = &fibres->of[thread];

	getcontext(&fibre->context);
	fibre->context.uc_stack.ss_sp = fibre->stack;
	fibre->context.uc_stack.ss_size = STACK_SIZE;
	fibre->context.uc_link = NULL;
	makecontext(&fibre->context, run_fibre, 0);
	fibre->ended = fibre->may_sleep = fibre->begun = false;
	fibre->next = (struct step){.kind = LOCAL, .name = "begin"};
}

static unsigned
new_thread(void)
{
	unsigned thread = fibres->count++;

	if (thread == THREADS_MOST)
		engine_limit("more than %d threads", THREADS_MOST);
	memcpy(fibres->of[thread].tls, fibres->tls, fibres->tls_size);
	return thread;
}

/* It knows what its creator knows. */
static struct fibre *
create(void)
{
	unsigned thread = new_thread();

	memory_tick();
	view_join(memory_view(thread), memory_view(fibres->current));
	memory_tick();
	start(thread);
	return &fibres->of[thread];
}

unsigned
engine_create(void *(*body)(void *), void *argument)
{
	struct fibre *fibre = create();

	fibre->body = body;
	fibre->simple = NULL;
	fibre->argument = argument;
	return (unsigned)(fibre - fibres->of);
}

void
fibre_create(void (*body)(void))
{
	create()->simple = body;
}

void
engine_step(struct step step)
{
	if (fibres->alone) {
		if (step.can && !step.can(step.argument))
			explore_fail("%s waits for nobody", step.name);
		return;
	}
	fibres->of[fibres->current].next = step;
	stop();
}

/* ---- explore.c's side ---- */

unsigned
fibre_count(void)
{
	return fibres->count;
}

void
fibre_make_current(unsigned thread)
{
	fibres->current = thread;
}

const struct step *
fibre_next(unsigned thread)
{
	return &fibres->of[thread].next;
}

bool
fibre_can_step(unsigned thread)
{
	const struct fibre *fibre = &fibres->of[thread];

	return !fibre->ended &&
		(!fibre->next.can || fibre->next.can(fibre->next.argument));
}

bool
fibre_may_sleep(unsigned thread)
{
	return fibres->of[thread].may_sleep;
}

void
fibre_run_alone(void (*body)(void))
{
	if (!body)
		return;
	fibres->alone = true;
	fibres->of[0].simple = body;
	start(0);
	fibre_go_on(0);
	fibres->alone = false;
}

void
fibre_reset(void)
{
	fibres->count = 0;
	fibres->current = new_thread();
}

static int
find_tls(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_TLS)
			continue;
		fibres->tls_place = info->dlpi_tls_data;
		fibres->tls_size = info->dlpi_phdr[i].p_memsz;
	}
	return 1; /* the program comes first */
}

void
fibre_init(void)
{
	fibres = engine_alloc(sizeof(*fibres));
	for (int t = 0; t < THREADS_MOST; t++)
		fibres->of[t].stack = engine_alloc(STACK_SIZE);
	dl_iterate_phdr(find_tls, NULL);
	if (fibres->tls_size > TLS_MOST)
		abort();
	fibres->tls = engine_alloc(TLS_MOST);
	memcpy(fibres->tls, fibres->tls_place, fibres->tls_size);
}
