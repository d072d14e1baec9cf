/* SPDX-License-Identifier: MIT */
/*
 * helper.h - the one thread of acre's own, which drives grace periods.
 *
 * Nothing depends on it for safety: without it (it could not be created)
 * grace periods do not pass, descriptors stay cooling, and the free lists
 * use their overflow.
 */
#ifndef ACRE_LIB_HELPER_H
#define ACRE_LIB_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/* A pool begins and ends; when the last one ends, so does the helper.
 * helper_release blocks for a grace period at most. */
void helper_retain(void);
void helper_release(void);

/*
 * What a tick is, instead of grace_begin and grace_end, which it calls. To be
 * set before the first request that needs it, always to the same.
 */
void helper_set_tick(void (*tick)(void));

/*
 * Return when a tick that let grace_elapsed(needed) become true has ended. If
 * there is no helper, the caller does its work.
 *
 * Threads: not the helper, not inside a read-side section. Blocks.
 */
void helper_wait(uint64_t needed);

/* The same for so long at most; without a helper not at all. Returns whether
 * the tick has ended. */
bool helper_wait_briefly(uint64_t needed, long microseconds);

/*
 * Ask that grace_elapsed(needed) become true some time soon.
 *
 * Threads:  any. Progress: one load when somebody has asked already; a lock
 *           and a wake-up when the helper sleeps, which it does after a
 *           while without requests.
 */
void helper_want(uint64_t needed);

/* Say that descriptors are scarce: grace periods follow each other closely
 * for a while. Threads: any. Progress: as helper_want. */
void helper_hurry(void);

/*
 * Work that the helper does now and then: it returns the microseconds until it
 * is to be called again, or -1: when helper_want_decay asks for it. To be set
 * before that.
 */
void helper_set_decay(int64_t (*decay)(void));

/* Returns false when there is no helper, and none could be created. */
bool helper_want_decay(void);

/* Around a fork; the child has no helper until it needs one. */
void helper_before_fork(void);
void helper_after_fork(bool in_child);

/* Do work as the helper would: what it calls must not wait for a tick. */
void helper_act(void (*work)(void));

/* Whether the calling thread is the helper. */
bool helper_is_me(void);

/* Whether the next request must wake or create the helper. */
bool helper_is_dormant(void);

#endif
