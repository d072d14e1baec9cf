/* SPDX-License-Identifier: MIT */
/*
 * grace.c - the sequence, written by one thread at a time.
 *
 * Why a number suffices: the unlink (seq_cst) comes before the load of the
 * sequence in grace_needed (seq_cst). If that load gave an even s, the
 * helper's add that makes it s + 1 comes later in the one order of seq_cst
 * operations, and the grace period after it begins after the unlink. If it
 * gave an odd s, that holds for the next period only, which ends at s + 3.
 *
 * The add only says which comes first. That a reader who enters after the
 * period has begun finds the unlink done is the waiting's own full barrier:
 * the synchronize_rcu of each flavour of liburcu begins with one.
 */
#include "lib/grace.h"

#include "lib/atomic.h"
#include "lib/rcu.h"

static _Atomic(uint64_t) sequence;

bool rcu_is_dead;

uint64_t
grace_needed(void)
{
	return (load_seq_cst(&sequence) + 3) & ~(uint64_t)1;
}

bool
grace_elapsed(uint64_t needed)
{
	/* Pairs with the store in grace_end. */
	return load_acquire(&sequence) >= needed;
}

void
grace_begin(void)
{
	add_seq_cst(&sequence, 1);
}

void
grace_end(void)
{
	rcu_wait();
	/* Release: pairs with grace_elapsed. */
	store_release(&sequence, load_relaxed(&sequence) + 1);
}

void
grace_cancel(void)
{
	store_release(&sequence, load_relaxed(&sequence) & ~(uint64_t)1);
}

uint64_t
grace_sequence(void)
{
	return load_acquire(&sequence);
}

uint64_t
grace_count(void)
{
	return load_relaxed(&sequence) / 2;
}
