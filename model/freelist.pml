/* SPDX-License-Identifier: MIT */
/*
 * freelist.pml - a list of free batches, its descriptors, and its overflow.
 *
 *   mirrors   lib/freelist.c, lib/descriptor.c, lib/grace.c
 *   threads   3, which pop and push as they like, and the helper
 *   bounds    3 batches, 3 descriptors, CALLS calls in all, 2 grace periods
 *
 * A list begins with two batches in it; thread 0 holds the third one. A step is
 * a load, a store or a compare-and-swap of a word that others use. Joined are:
 * a section's beginning and the load of head; the swap that ends a pop, the
 * section's end, grace_needed() and the look at the batch: apart they would
 * only protect more. A push's load of head and its store of next: a stale
 * popper that comes between them reads what it could have read before. What a
 * thread does to its own stash, and under a lock. A trylock may fail without a
 * reason.
 *
 * Assumed: sequential consistency. liburcu: a wait ends after each section
 * that was under way when it began. Grace periods come when they like, twice
 * at most: so they may also stall.
 *
 * Left out: shards (a list each, alike), slabs of more than one descriptor, a
 * depot of more than two chains, a stash that cools more than two, requests to
 * the helper (retire.pml), the end of a thread (exit.pml).
 *
 * Claims:
 *   one_holder       a batch that is popped was in the list, and only there
 *   one_place        a descriptor that is pushed is in no list
 *   nothing_lost     at the end the list and the overflow have all batches
 *                    that no thread has, and each descriptor is somewhere
 *
 * Short: -DCALLS=4
 *
 * Without its rule, each of these must break what stands beside it:
 *   -DNO_GRACE              nothing_lost  descriptors are used again at once
 *   -DNEEDED_BEFORE_UNLINK  nothing_lost  grace_needed(), then the pop
 *   -DPERIOD_UNDER_WAY      nothing_lost  the period that runs now counts
 *   -DHEAD_BEFORE_SECTION   nothing_lost  head read outside of the section
 *   -DFIRST_NEEDS           nothing_lost  a chain carries the need of its first
 *   -DLOCK_ON_THE_LIST      nothing_lost  the fallback locks the same list
 *   -DPUSH_BEFORE_READY     nothing_lost  the batch is written after the push
 */
#define THREADS 3
#define BATCHES 3
#define MADE_MOST 3
#define COOLING_MOST 2 /* STASH_COOLING */
#define PERIODS 2
#ifndef CALLS
#define CALLS 5
#endif

/* Descriptors and batches are numbers from 1; 0 is NULL. */
#define NONE 0
#define IN_A_LIST 0 /* holder; else 1 + thread */

/* The list. */
byte head;
byte next[MADE_MOST + 1];
byte batch[MADE_MOST + 1];

/* The overflow, linked through the batches. */
byte overflow;
byte below[BATCHES + 1];

/* Stashes, the depot, and what is in descriptors for them. */
byte ready[THREADS];
byte cooling[THREADS];
byte cooling_last[THREADS];
byte cooling_count[THREADS];
byte oldest, newest;
byte made;
byte needed[MADE_MOST + 1];
byte link[MADE_MOST + 1];
byte chain[MADE_MOST + 1];

/* grace.c, and liburcu: who is in a section, and for whom the helper waits. */
byte sequence;
bool inside[THREADS];
bool waited[THREADS];

/* Not of acre: what is claimed. */
byte holder[BATCHES + 1];
bool listed[MADE_MOST + 1];
byte calls;
byte threads_done;
bool one_holder = true;
bool one_place = true;
bool nothing_lost = true;

#ifdef NO_GRACE
#define HAS_COOLED(need) true
#else
#define HAS_COOLED(need) (sequence >= (need))
#endif

#ifdef PERIOD_UNDER_WAY
#define GRACE_NEEDED ((sequence + 2) & 254)
#else
#define GRACE_NEEDED ((sequence + 3) & 254)
#endif

inline rcu_leave()
{
	d_step {
		inside[me] = false;
		waited[me] = false
	}
}

/* ---- descriptors ---- */

inline depot_put(first, need)
{
	needed[first] = need;
	chain[first] = NONE;
	if
	:: newest -> chain[newest] = first
	:: else -> oldest = first
	fi;
	newest = first
}

/* With the depot's lock: ready[me] becomes a chain, or not. */
inline depot_take()
{
	if
	:: oldest && HAS_COOLED(needed[oldest]) ->
		ready[me] = oldest;
		oldest = chain[oldest];
		newest = (oldest -> newest : NONE)
	:: else
	fi
}

inline make_slab()
{
	if
	:: !ready[me] && made < MADE_MOST ->
		made++;
		ready[me] = made;
		link[made] = NONE
	:: else
	fi
}

inline take_oldest()
{
	d = cooling[me];
	cooling[me] = link[d];
	cooling_count[me]--
}

/* d becomes what it returns. */
inline descriptor_get()
{
	atomic {
		if
		:: !ready[me] && cooling[me] && HAS_COOLED(needed[cooling[me]])
			-> take_oldest()
		:: else ->
			if
			:: !ready[me] -> depot_take(); make_slab()
			:: !ready[me] -> make_slab() /* the lock is taken */
			:: ready[me]
			fi;
			d = ready[me];
			ready[me] = (d -> link[d] : NONE)
		fi
	}
}

inline return_cooling()
{
#ifdef FIRST_NEEDS
	depot_put(cooling[me], needed[cooling[me]]);
#else
	depot_put(cooling[me], needed[cooling_last[me]]);
#endif
	cooling[me] = NONE;
	cooling_count[me] = 0
}

inline descriptor_cool()
{
	needed[h] = need;
	link[h] = NONE;
	if
	:: cooling[me] -> link[cooling_last[me]] = h
	:: else -> cooling[me] = h
	fi;
	cooling_last[me] = h;
	cooling_count[me]++;
	if
	:: cooling_count[me] >= COOLING_MOST -> return_cooling()
	:: true /* there are few, or the lock is taken */
	fi
}

/* ---- the list and the overflow ---- */

inline overflow_push()
{
	atomic {
		below[b] = overflow;
		overflow = b;
		holder[b] = IN_A_LIST
	}
}

inline overflow_pop()
{
	atomic {
		b = overflow;
		if
		:: b -> overflow = below[b]; holder[b] = 1 + me
		:: else
		fi
	}
}

/* The compare-and-swap that ends a push: d stands for b. */
inline publish()
{
	one_place = !listed[d];
	assert(one_place);
	listed[d] = true;
	holder[b] = IN_A_LIST;
	head = d
}

/* Push b with descriptor d. */
inline freelist_push()
{
	atomic {
#ifndef PUSH_BEFORE_READY
		batch[d] = b;
#endif
		h = head;
		next[d] = h
	}
	do
	:: atomic { head == h -> publish(); break }
	:: atomic { head != h -> h = head; next[d] = h }
	od;
#ifdef PUSH_BEFORE_READY
	batch[d] = b;
#endif
	h = NONE
}

/* What h stands for is the popper's. */
inline take_batch()
{
	listed[h] = false;
	b = batch[h];
	one_holder = (holder[b] == IN_A_LIST);
	assert(one_holder);
	holder[b] = 1 + me
}

/* h becomes the descriptor, or NONE; b its batch. */
inline freelist_pop()
{
#ifdef HEAD_BEFORE_SECTION
	h = head;
	inside[me] = true;
#else
	atomic { inside[me] = true; h = head }
#endif
	do
	:: h == NONE -> break
	:: h != NONE ->
		n = next[h];
#ifdef NEEDED_BEFORE_UNLINK
		need = GRACE_NEEDED;
#endif
		if
		:: atomic {
			head == h ->
			head = n;
#ifndef NEEDED_BEFORE_UNLINK
			need = GRACE_NEEDED;
#endif
			take_batch();
			break
		}
		:: atomic { head != h -> h = head }
		fi
	od;
	rcu_leave()
}

/* ---- a thread's calls ---- */

/* As pool_give. */
inline give()
{
	descriptor_get();
	if
	:: d -> freelist_push()
#ifdef LOCK_ON_THE_LIST
	/* The lock is held here; poppers do not take it. */
	:: !d && cooling[me] -> atomic { take_oldest() } freelist_push()
	:: !d && !cooling[me] -> overflow_push()
#else
	:: !d -> overflow_push()
#endif
	fi
}

/* As pop_listed. */
inline take()
{
	h = NONE;
	if
	:: head -> freelist_pop()
	:: else
	fi;
	if
	:: h -> atomic { descriptor_cool() }
	:: else -> overflow_pop()
	fi
}

proctype thread(byte me)
{
	byte h, n, d, b, need;

	do
	:: atomic {
		calls < CALLS ->
		calls++;
		if
		:: holder[1] == 1 + me -> b = 1
		:: holder[2] == 1 + me -> b = 2
		:: holder[3] == 1 + me -> b = 3
		:: true -> b = NONE
		fi
	   }
		if
		:: b -> give()
		:: else -> take()
		fi;
		atomic { h = NONE; n = NONE; d = NONE; b = NONE; need = 0 }
	:: atomic { calls == CALLS -> threads_done++; break }
	od
}

proctype helper()
{
	do
	:: sequence < 2 * PERIODS ->
		sequence++;
		d_step {
			waited[0] = inside[0];
			waited[1] = inside[1];
			waited[2] = inside[2]
		}
		!waited[0] && !waited[1] && !waited[2];
		sequence++
	:: atomic { threads_done == THREADS -> break }
	od
}

/* ---- at the end ---- */

byte i, steps, batches_seen, descriptors_seen;

inline see_chain(first)
{
	i = first;
	do
	:: i -> descriptors_seen++; i = link[i]
	:: else -> break
	od
}

inline see_list()
{
	i = head;
	do
	:: i && steps < MADE_MOST ->
		steps++;
		batches_seen++;
		nothing_lost = nothing_lost && holder[batch[i]] == IN_A_LIST;
		i = next[i]
	:: i && steps == MADE_MOST -> nothing_lost = false; break
	:: !i -> break
	od;
	descriptors_seen = steps
}

inline see_overflow()
{
	i = overflow;
	do
	:: i -> batches_seen++; i = below[i]
	:: else -> break
	od
}

inline see_depot()
{
	steps = oldest;
	do
	:: steps -> see_chain(steps); steps = chain[steps]
	:: else -> break
	od
}

inline check()
{
	see_list();
	see_overflow();
	see_depot();
	see_chain(ready[0]); see_chain(ready[1]); see_chain(ready[2]);
	see_chain(cooling[0]); see_chain(cooling[1]); see_chain(cooling[2]);
	for (i : 1 .. BATCHES) {
		batches_seen = batches_seen + (holder[i] != IN_A_LIST)
	}
	nothing_lost = nothing_lost && batches_seen == BATCHES &&
		descriptors_seen == made;
	i = 0
}

init
{
	atomic {
		batch[1] = 1; batch[2] = 2;
		head = 2; next[2] = 1; made = 2;
		listed[1] = true; listed[2] = true;
		holder[3] = 1;
		run thread(0); run thread(1); run thread(2); run helper()
	}
	threads_done == THREADS;
	d_step { check() }
	assert(nothing_lost)
}
