/* SPDX-License-Identifier: MIT */
/*
 * fork.c - keeps acre whole in the child of a process with threads.
 *
 * Before a fork every lock of acre's is taken, in the order in which they
 * nest, and liburcu's bp flavour is stopped between grace periods; after it
 * all are released. So the child finds no lock held by a thread that it does
 * not have, and no region half drained.
 *
 * What other threads did without a lock at that moment is lost to the child,
 * never wrong: a batch between two lists, and their caches, stay where they
 * are until the pool is destroyed. The child has no readers but its one
 * thread, so whatever was retired before is ready, unless that thread itself
 * forked inside a section. Other flavours than bp cannot forget the threads
 * that are gone: there, and after such a fork, retire and barrier return
 * ENOTSUP in the child.
 */
#include "lib/fork.h"

#include <errno.h>
#include <pthread.h>

#include "lib/helper.h"
#include "lib/pool.h"
#include "lib/rcu.h"
#include "lib/retire.h"

static bool bp_is_the_applications;

static void
before(void)
{
	retire_before_fork();
	pool_before_fork();
	helper_before_fork();
	if (!bp_is_the_applications)
		rcu_before_fork();
}

static void
after_in_parent(void)
{
	if (!bp_is_the_applications)
		rcu_after_fork_parent();
	helper_after_fork(false);
	pool_after_fork(false);
	retire_after_fork(false);
}

static void
after_in_child(void)
{
	if (!bp_is_the_applications)
		rcu_after_fork_child();
	helper_after_fork(true);
	pool_after_fork(true);
	retire_after_fork(true);
}

int
fork_watch(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool watching;

	pthread_mutex_lock(&lock);
	if (!watching)
		watching = !pthread_atfork(before, after_in_parent,
			after_in_child);
	pthread_mutex_unlock(&lock);
	return watching ? 0 : ENOMEM;
}

void
acre_fork_leaves_bp(void)
{
	bp_is_the_applications = true;
}
