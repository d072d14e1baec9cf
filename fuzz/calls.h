/* SPDX-License-Identifier: MIT */
/*
 * calls.h - what can be done to a region, and held against its model.
 *
 * A do_ is run on an actor's thread, with the model; what else it needs is in
 * the input. The others choose the actor.
 */
#ifndef ACRE_FUZZ_CALLS_H
#define ACRE_FUZZ_CALLS_H

#include "fuzz/model.h"

/* ---- objects.c ---- */

void do_alloc(void *model);
void do_string(void *model);
void do_realloc(void *model);
void do_free(void *model);
void do_cleanup(void *model);
void do_cancel(void *model);

/* May size bytes be refused, with so much room in the budgets? Blocks for
 * them, and for a record, are twice as much at most. */
bool has_reason(const struct model *m, size_t room, size_t size);

/* ---- regions.c ---- */

void do_close(void *model);
void do_reset(void *model);
void do_mark(void *model);
void do_rewind(void *model);
void do_detach(void *model);

void open_region(struct model *m);

/* It may wait for readers, and they for it, in lock-step. */
void retire(struct model *m, unsigned actor);

/* What can be done to a tree that nobody owns; and by anybody. */
void step_detached(struct model *m, size_t what);

#endif
