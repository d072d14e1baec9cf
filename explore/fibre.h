/* SPDX-License-Identifier: MIT */
/*
 * fibre.h - a scenario's threads, which stop before each step.
 *
 * What a thread itself asks (engine_step, engine_create...) is in engine.h;
 * this is explore.c's side, which lets them go on.
 */
#ifndef ACRE_EXPLORE_FIBRE_H
#define ACRE_EXPLORE_FIBRE_H

#include "explore/engine.h"

void fibre_init(void);

/* No thread but the first, which is the current one. */
void fibre_reset(void);

/* The first thread does this by itself, from beginning to end. */
void fibre_run_alone(void (*body)(void));

/* A thread of the scenario; it knows what the current one knows. */
void fibre_create(void (*body)(void));

unsigned fibre_count(void);
void fibre_make_current(unsigned thread);

/* What it is about to do; whether it can, and whether it may never do it. */
const struct step *fibre_next(unsigned thread);
bool fibre_can_step(unsigned thread);
bool fibre_may_sleep(unsigned thread);

/* Go on with a thread until it stops, or leaves. */
void fibre_go_on(unsigned thread);

/* The calling thread gives the execution up. */
_Noreturn void fibre_leave(void);

#endif
