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
 * Retired regions wait for the application's readers: its flavour is known by
 * its functions only, since one flavour's header hides the others'.
 *
 * Without _LGPL_SOURCE: liburcu is called, not inlined, so that acre's
 * licence stays its own.
 */
#ifndef ACRE_LIB_RCU_H
#define ACRE_LIB_RCU_H

#include <stdbool.h>
#include <urcu/urcu-bp.h>

#include "lib/sanitizer.h"

/* In the child of a fork inside a section bp may be locked for ever. It is not
 * needed either: no descriptor is used again there. Written by fork.c, when
 * there is one thread. */
extern bool rcu_is_dead;

static inline void
rcu_enter(void)
{
	if (!rcu_is_dead)
		urcu_bp_read_lock();
}

static inline void
rcu_leave(void)
{
	if (rcu_is_dead)
		return;
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

/* Hold grace periods off across a fork. */
static inline void
rcu_before_fork(void)
{
	urcu_bp_before_fork();
}

static inline void
rcu_after_fork_parent(void)
{
	urcu_bp_after_fork_parent();
}

static inline void
rcu_after_fork_child(void)
{
	urcu_bp_after_fork_child();
}

/* Whether the application's readers use a flavour of their own. */
static inline bool
rcu_is_other(const struct rcu_flavor_struct *application)
{
	return application && application != &urcu_bp_flavor;
}

/* The same as rcu_wait for the application's flavour. */
static inline void
rcu_wait_for(const struct rcu_flavor_struct *application)
{
	application->update_synchronize_rcu();
	sanitizer_acquire((void *)application);
}

/* What readers did before happens before the end of their limbo; said by the
 * application, in acre_reader_leaves. */
static inline void
rcu_annotate_leave(const struct rcu_flavor_struct *application)
{
	sanitizer_release(application ? (void *)application :
					(void *)&urcu_bp_flavor);
}

#endif
