/* SPDX-License-Identifier: MIT */
/*
 * actors.h - threads in lock-step: one does something, all others wait.
 *
 * So each has caches of its own, and what they do together is decided by the
 * caller alone. Actor 0 is the thread that calls; the others begin when they
 * are first needed.
 */
#ifndef ACRE_FUZZ_ACTORS_H
#define ACRE_FUZZ_ACTORS_H

enum { ACTORS = 4 };

/* Have an actor run fn(arg), and wait until it has. */
void actor_run(unsigned actor, void (*fn)(void *), void *arg);

/* End an actor's thread; the next actor_run begins another. */
void actor_end(unsigned actor);

#endif
