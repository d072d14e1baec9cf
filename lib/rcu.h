/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - the only file that knows liburcu.
 *
 * The pool's own read-side sections use the bp flavour, which registers a
 * thread by itself. Sections are a few instructions long and never nest in
 * acre. ThreadSanitizer cannot see into liburcu, so the one ordering that a
 * grace period gives is told to it here: the end of each section happens
 * before the return of each rcu_wait that waited for it.
 *
 * Without _LGPL_SOURCE: liburcu is called, not inlined, so that acre's
 * licence stays its own.
 */
#ifndef ACRE_LIB_RCU_H
#define ACRE_LIB_RCU_H

#include <stdbool.h>
#include <urcu/urcu-bp.h>

#include "lib/sanitizer.h"

static inline void
rcu_enter(void)
{
	urcu_bp_read_lock();
}

static inline void
rcu_leave(void)
{
	sanitizer_release((void *)&urcu_bp_flavor);
	urcu_bp_read_unlock();
}

/* Whether the calling thread is inside a section of the pool's flavour, or
 * of the application's when it gave one. */
static inline bool
rcu_inside(const struct rcu_flavor_struct *application)
{
	return urcu_bp_read_ongoing() ||
		(application && application->read_ongoing());
}

/* Wait until every section that is under way now has ended. */
static inline void
rcu_wait(void)
{
	urcu_bp_synchronize_rcu();
	sanitizer_acquire((void *)&urcu_bp_flavor);
}

#endif
