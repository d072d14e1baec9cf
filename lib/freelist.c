/* SPDX-License-Identifier: MIT */
/*
 * freelist.c - a Treiber stack of descriptors, protected by RCU.
 *
 *   head --> [d3] --> [d2] --> [d1] --> NULL        next: read by any popper
 *             |        |        |
 *           batch    batch    batch                 read by the one that won
 *
 * The rule: a popper reads head and head->next inside one read-side section,
 * and a descriptor that was popped is not pushed again (nor freed) until a
 * grace period has passed since its pop.
 *
 *            push   pop       -  needs nothing of the other
 *   push      -      -        R  reads under RCU, and what it took is pushed
 *   pop       -      R           or freed a grace period later
 *
 * Why it is safe:
 *
 * 1. A popper may read d->next of a descriptor that another thread has
 *    popped since. Descriptors are not freed while the pool lives, and next
 *    is atomic: the read is defined, whatever it gives.
 *
 * 2. Its compare-and-swap from d to n succeeds only if head is d at that
 *    time. d was head when the popper read it, inside the same section. Had
 *    d been popped in between, it could be head again only by a push, which
 *    the rule allows only after a grace period that began after that pop;
 *    but no such grace period ends before the popper's section does. So d
 *    was in the list all the time, what lies below a descriptor that is in
 *    the list never changes, and n is what follows d now. There is no ABA.
 *
 * 3. Who wins the compare-and-swap is the batch's only holder: another that
 *    also read d finds head changed. The batch and the pages in it are read
 *    by the winner only, so pages need not wait for any grace period.
 *
 * Grace periods are counted in grace.c and waited for by nobody: descriptor.c
 * keeps what was popped until its time has come. When grace periods stall
 * and descriptors run out, batches go to the overflow. It must be a list of
 * its own: a lock around this stack would not stop a popper that holds none.
 *
 * Source: R. K. Treiber, "Systems Programming: Coping with Parallelism",
 * IBM RJ 5118, 1986; the rule for pops is that of liburcu's lfstack.
 */
#include "lib/freelist.h"

#include "lib/probe.h"
#include "lib/rcu.h"

void
freelist_push(struct freelist *list, struct descriptor *descriptor,
	const struct batch *batch)
{
	struct descriptor *head = load_relaxed(&list->head);

	descriptor->batch = *batch;
	do {
		store_relaxed(&descriptor->next, head);
		/* Release: the batch is complete before it is visible. Pairs
		 * with the acquires in freelist_pop. */
	} while (!cas_release(&list->head, &head, descriptor));
}

struct descriptor *
freelist_pop(struct freelist *list)
{
	struct descriptor *head, *next;

	if (!load_relaxed(&list->head))
		return NULL;
	rcu_enter();
	/* Acquire, here and on failure below: pairs with freelist_push. */
	head = load_acquire(&list->head);
	while (head) {
		next = load_relaxed(&head->next);
		probe_pop_window();
		/* Seq_cst: the unlink comes before the load in
		 * grace_needed(). */
		if (cas_seq_cst_or_acquire(&list->head, &head, next))
			break;
	}
	rcu_leave();
	return head;
}

/* What a batch's first block holds of it while it waits in the overflow. The
 * block's own links stay as they are. */
struct overflowed {
	struct block block;
	struct overflowed *below;
	struct batch batch;
};

void
overflow_init(struct overflow *overflow)
{
	pthread_mutex_init(&overflow->lock, NULL);
}

void
overflow_destroy(struct overflow *overflow)
{
	pthread_mutex_destroy(&overflow->lock);
}

void
overflow_push(struct overflow *overflow, const struct batch *batch)
{
	struct overflowed *entry = (struct overflowed *)batch->first;

	entry->batch = *batch;
	entry->batch.clean = false;
	pthread_mutex_lock(&overflow->lock);
	entry->below = overflow->top;
	overflow->top = entry;
	store_relaxed(&overflow->count, load_relaxed(&overflow->count) + 1);
	pthread_mutex_unlock(&overflow->lock);
}

bool
overflow_pop(struct overflow *overflow, struct batch *batch)
{
	struct overflowed *entry;

	/* A batch that is pushed just now may be missed, as by any pop. */
	if (!load_relaxed(&overflow->count))
		return false;
	pthread_mutex_lock(&overflow->lock);
	entry = overflow->top;
	if (entry) {
		overflow->top = entry->below;
		store_relaxed(&overflow->count,
			load_relaxed(&overflow->count) - 1);
	}
	pthread_mutex_unlock(&overflow->lock);
	if (!entry)
		return false;
	*batch = entry->batch;
	return true;
}

void
overflow_before_fork(struct overflow *overflow)
{
	pthread_mutex_lock(&overflow->lock);
}

void
overflow_after_fork(struct overflow *overflow)
{
	pthread_mutex_unlock(&overflow->lock);
}
