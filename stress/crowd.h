/* SPDX-License-Identifier: MIT */
/*
 * crowd.h - threads that do all that acre can, for stress/soak.c.
 *
 *   residents   a thread each: open, grow, close, retire, read, hand over,
 *               trim, flush, reach limits, fork, make and end pools, budgets
 *   visitors    the same on threads that come and go, one a resident at a time
 *
 * They work in steps, in three pools that live through the run, and count what
 * they do. Between two steps they can be stopped; then all that they have
 * counted is what pools and budgets must say.
 *
 * Children of a fork know their own thread's regions only. They use what they
 * have, wait for what was retired, and end all pools that they can. There are
 * none under a sanitizer: see stress/fork.c.
 */
#ifndef ACRE_STRESS_CROWD_H
#define ACRE_STRESS_CROWD_H

#include "lib/atomic.h"
#include "stress/common.h"

#define CROWD_LIMBO_BYTES ((size_t)4 << 20) /* of each pool, at most */

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || \
	HAS_FEATURE(thread_sanitizer) || HAS_FEATURE(address_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* One that decays, one with a limit and a handler, and one of mmap's that the
 * residents trim. */
enum { DECAYS, LIMITED, TRIMMED, POOLS };

extern acre_pool *crowd_pools[POOLS];
extern acre_pool_options crowd_options[POOLS];
extern acre_budget *crowd_budget; /* above all tenants' */

/* What was done so far. */
struct totals {
	uint64_t steps, made, retired, refused, rescued, pools_ended, visits,
		forks, bytes_trimmed;
};

struct crowd_count {
	struct {
		struct tally tally;
		uint64_t retired; /* regions */
		size_t largest;   /* bytes that one has held */
		size_t peak;      /* bytes that all have held together */
	} pools[POOLS];
	size_t charged;   /* bytes, to crowd_budget */
	uint64_t cleaned; /* of totals.retired */
	struct totals totals;
};

/* Make the pools, and start all threads. They go on while stress_goes_on(). */
void crowd_begin(void);

/* How many threads there are at most. */
unsigned crowd_size(void);

/* Stop all between two steps, and let them go on. */
void crowd_stop(void);
void crowd_go_on(void);

/* What they have counted; they have stopped, or ended. */
void crowd_count(struct crowd_count *count);

/* Return when every region that was retired has ended. */
void crowd_wait_for_limbo(void);

/* Join all threads, and give back what they have left. */
void crowd_end(void);

#endif
