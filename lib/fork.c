/* SPDX-License-Identifier: MIT */
/*
 * fork.c - keeps acre whole in the child of a process with threads.
 *
 * Before a fork every lock of acre's is taken, in the order in which they
 * nest, and liburcu's bp flavour is stopped between grace periods; after it
 * all are released. So the child finds no lock held by a thread that it does
 * not have, and no region half drained. bp comes before the locks that a
 * reader may take: a grace period that is under way must be able to end.
 *
 *   draining -> bp -> default pool -> registry -> chunks, depots, overflows
 *            -> helper -> budgets
 *
 * What other threads did without a lock at that moment is lost to the child,
 * never wrong: a batch between two lists, and their caches, stay where they
 * are until the pool is destroyed; what was counted half is counted anew.
 *
 * The child has no readers but its one thread, so whatever was retired before
 * is ready. A thread that forks inside a section cannot stop bp, whose grace
 * period waits for it: in such a child bp is not used any more, descriptors
 * are not used again, and retire and barrier return ENOTSUP. So they do for
 * pools of other flavours, which cannot forget the threads that are gone.
 *
 * The handlers are there from the start of the program, before the
 * application's: so theirs run outside of acre's locks, and may call acre.
 */
#include "lib/fork.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/budget.h"
#include "lib/cache.h"
#include "lib/decay.h"
#include "lib/helper.h"
#include "lib/rcu.h"
#include "lib/retire.h"

static bool bp_is_the_applications;
static bool bp_is_held, inside; /* between before() and after */
static int watch_error = ENOMEM;

static void
before(void)
{
	/* To ask registers with bp: not where that may be stopped already. */
	bool own = pools_ever() && !bp_is_the_applications;
	bool barred = own && (helper_is_me() || rcu_inside(NULL));

	if (own && !barred)
		rcu_before_fork();
	retire_before_fork();
	bp_is_held = own && !barred;
	inside = barred;
	pool_before_fork();
	helper_before_fork();
	budget_before_fork();
}

static void
after_in_parent(void)
{
	bool held = bp_is_held;

	budget_after_fork(false);
	helper_after_fork(false);
	pool_after_fork(false);
	retire_after_fork(false);
	if (held)
		rcu_after_fork_parent();
}

static void
after_in_child(void)
{
	if (bp_is_held)
		rcu_after_fork_child();
	else if (inside)
		rcu_is_dead = true;
	budget_after_fork(true);
	helper_after_fork(true);
	caches_after_fork();
	decay_after_fork();
	pool_after_fork(true);
	retire_after_fork(true);
}

/* malloc's own handlers first: acre calls it with locks held. */
static __attribute__((constructor)) void
watch(void)
{
	free(malloc(1));
	watch_error = pthread_atfork(before, after_in_parent, after_in_child);
}

int
fork_watch(void)
{
	return watch_error;
}

void
acre_fork_leaves_bp(void)
{
	bp_is_the_applications = true;
}
