/* SPDX-License-Identifier: MIT */
/*
 * retire.pml - retired regions, their readers, and the helper.
 *
 *   mirrors   lib/retire.c, lib/helper.c, lib/grace.c
 *   threads   2 owners and two of: the helper, a reader, one that calls a
 *             barrier
 *   bounds    3 regions, one section, one barrier; the helper may sleep, go
 *             and be made anew as often as it likes
 *
 * Owner 0 retires regions 1 and 2, whose readers use bp; owner 1 retires
 * region 3, whose readers use a flavour of their own. Each load, store, swap
 * and turn under the helper's lock is a step. The reader's section may be of
 * either flavour, and come at any time; one is enough, since others do nothing
 * but delay the helper, which may be slow anyway. Its beginning is one step
 * with the look at what is published, and its end with the last use: earlier
 * or later they would only protect more. How long a pause lasts is open; a
 * sleep may end by itself (LINGER_US) or not.
 *
 * Without the helper, when its thread cannot be created, who waits does its
 * work, and nothing but the barrier promises an end.
 *
 * Assumed: sequential consistency. liburcu, of both flavours: a wait ends
 * after each section that was under way when it began.
 *
 * Left out: the bound on limbo (who waits for it does what the barrier does),
 * the end of threads, of pools and of the helper with the last one, decay,
 * forks.
 *
 * Claims:
 *   nobody_reads       a region that is drained has no reader
 *   barrier_holds      what was retired before a barrier is drained after it
 *   nothing_forgotten  when all have stopped, no region is in a bag
 *   all_are_drained    in every fair run, that is, with -DLIVENESS
 *
 * Short: -DRETIRES=1
 *
 * Without its rule, each of these must break what stands beside it:
 *   -DDRAIN_BEFORE_WAIT    nobody_reads       drained, then waited
 *   -DOTHERS_NOT_WAITED    nobody_reads       only bp is waited for
 *   -DTAKE_BEFORE_BEGIN    nothing_forgotten  bags are taken, then it begins
 *   -DNEEDED_BEFORE_PUSH   nothing_forgotten  grace_needed(), then the push
 *   -DPERIOD_UNDER_WAY     nothing_forgotten  the period that runs now counts
 *   -DDORMANT_THEN_WANTED  nothing_forgotten  a request looks, then asks
 *   -DLOOK_THEN_DORMANT    nothing_forgotten  the helper looks, then sleeps
 *   -DASKED_IN_VAIN        nothing_forgotten  the helper is not woken
 *   -DSEQUENCE_IS_ENOUGH   barrier_holds      a barrier waits for no drain
 */
#define OWNERS 2
#define REGIONS 3
#ifndef RETIRES
#define RETIRES 2 /* regions that owner 0 retires */
#endif

#define NONE 0
#define OWNER_OF(region) ((region) == 3)

/* Flavours; 0 is none. */
#define BP 1
#define OTHER 2

/* retire.c */
byte bag[OWNERS];
byte link[REGIONS + 1];
byte limbo_count;

/* helper.c */
byte wanted;
bool dormant = true;
bool locked;
#ifdef LIVENESS
byte at_lock; /* requests that wait for it */
#endif
bool running;
bool ticking;
bool woken;
byte ticked;
bool can_create;

/* grace.c, and liburcu: which section the reader is in, and whether the helper
 * waits for its end. */
byte sequence;
byte inside;
bool waited;

/* Not of acre. */
bool published[REGIONS + 1];
bool pushed[REGIONS + 1];
bool drained[REGIONS + 1];
byte owners_done;
bool nobody_reads = true;
bool barrier_holds = true;
bool nothing_forgotten = true;

#define all_drained (drained[1] && drained[2] && drained[3])

#ifdef PERIOD_UNDER_WAY
#define GRACE_NEEDED ((sequence + 2) & 254)
#else
#define GRACE_NEEDED ((sequence + 3) & 254)
#endif

inline lock()
{
	atomic { !locked -> locked = true }
}

inline unlock()
{
	locked = false
}

/* ---- a request ---- */

/* The lock is held for these few instructions, all of them here. */
inline wake()
{
#ifdef LIVENESS
	at_lock++;
#endif
	atomic {
		!locked ->
#ifdef LIVENESS
		at_lock--;
#endif
		if
		:: running -> woken = true
		:: !running && can_create -> running = true; dormant = false
		:: else
		fi
	}
}

inline ask(needed)
{
	d_step {
		if
		:: wanted < needed -> wanted = needed
		:: else
		fi
	}
}

inline helper_want(needed)
{
#ifdef DORMANT_THEN_WANTED
	is_dormant = dormant;
	ask(needed);
#else
	ask(needed);
	is_dormant = dormant;
#endif
	if
	:: is_dormant ->
		if
#ifndef ASKED_IN_VAIN
		:: sequence < wanted -> wake()
#endif
		:: else
		fi
	:: else
	fi;
	is_dormant = false
}

/* ---- one tick: who ticks has `ticking`, and not the lock ---- */

inline take_bag(owner)
{
	d_step {
		if
		:: bag[owner] ->
			taken[owner] = bag[owner];
			bag[owner] = NONE
		:: else
		fi
	}
}

inline drain_bag(owner)
{
	do
	:: taken[owner] ->
		drained[taken[owner]] = true;
		count++;
		taken[owner] = link[taken[owner]]
	:: else -> break
	od
}

inline wait_for(flavour)
{
	waited = (inside == flavour);
	!waited
}

inline drain_all()
{
	d_step {
		drain_bag(0);
		drain_bag(1)
	}
	d_step {
		limbo_count = limbo_count - count;
		count = 0
	}
}

inline tick_work()
{
#ifdef TAKE_BEFORE_BEGIN
	take_bag(0);
	take_bag(1);
	sequence++;
#else
	sequence++;
	take_bag(0);
	take_bag(1);
#endif
#ifdef DRAIN_BEFORE_WAIT
	drain_all();
#endif
	wait_for(BP);
	sequence++;
	if
#ifndef OTHERS_NOT_WAITED
	:: taken[1] -> wait_for(OTHER)
#endif
	:: else
	fi;
	drain_all()
}

/* With the lock, which is given up meanwhile. */
inline tick_once()
{
	atomic { ticking = true; unlock() }
	tick_work();
	atomic { !locked -> locked = true; ticking = false; ticked = sequence }
}

/* ---- the helper ---- */

/* The helper's thread; when it has gone, the next one. */
proctype helper()
{
	byte taken[OWNERS];
	byte count;

end_none:
	atomic { running && !locked -> locked = true }
again:
	if
	:: sequence < wanted ->
		if
		:: !ticking -> tick_once()
		:: else
		fi
	:: else
	fi;
	unlock();
	/* A pause, which ends by itself. */
#ifdef LIVENESS
	/* Who was at the lock has had it. */
	at_lock == 0;
#endif
	lock();
	if
	:: goto again
	:: true /* QUIET_TICKS are over */
	fi;
#ifdef LOOK_THEN_DORMANT
	if
	:: sequence < wanted -> goto again
	:: else
	fi;
	dormant = true;
	atomic { woken = false; unlock() }
#else
	dormant = true;
	if
	:: sequence < wanted -> dormant = false; goto again
	:: else -> atomic { woken = false; unlock() }
	fi;
#endif
	if
	:: true ->
end_asleep:	atomic { woken && !locked -> locked = true }
		dormant = false;
		goto again
	:: true -> lock() /* LINGER_US are over */
	fi;
	if
	:: sequence < wanted -> dormant = false; goto again
	:: else -> atomic { running = false; unlock() }
	fi;
	goto end_none
}

/* ---- owners and readers ---- */

inline retire(region)
{
	atomic {
		limbo_count++;
		published[region] = false;
#ifdef NEEDED_BEFORE_PUSH
		need = GRACE_NEEDED;
#endif
		top = bag[me];
		link[region] = top
	}
	do
	:: atomic {
		bag[me] == top ->
		bag[me] = region;
		pushed[region] = true;
		break
	   }
	:: atomic { bag[me] != top -> top = bag[me]; link[region] = top }
	od;
	if
	:: top == NONE ->
#ifndef NEEDED_BEFORE_PUSH
		need = GRACE_NEEDED;
#endif
		helper_want(need)
	:: else
	fi
}

proctype owner(byte me)
{
	byte top, need;
	bool is_dormant;

	if
	:: me == 0 ->
		retire(1);
#if RETIRES > 1
		retire(2)
#endif
	:: else -> retire(3)
	fi;
	owners_done++
}

proctype reader()
{
	byte region;

	atomic {
		if
		:: published[1] -> region = 1; inside = BP
		:: published[2] -> region = 2; inside = BP
		:: published[3] -> region = 3; inside = OTHER
		:: true /* it finds nothing */
		fi
	}
	atomic {
		nobody_reads = !drained[region];
		assert(nobody_reads);
		region = NONE;
		inside = 0;
		waited = false
	}
}

/* acre_pool_barrier, once, at any time. */
proctype barrier()
{
	byte taken[OWNERS];
	byte count, needed;
	bool is_dormant;
	bool before[REGIONS + 1];

	atomic {
		before[1] = pushed[1];
		before[2] = pushed[2];
		before[3] = pushed[3]
	}
	if
	:: limbo_count == 0 -> goto done
	:: else
	fi;
	needed = GRACE_NEEDED;
	helper_want(needed);
#ifdef SEQUENCE_IS_ENOUGH
	if
	:: sequence >= needed -> goto done
	:: !can_create -> goto left
	fi;
#endif
	lock();
	do
	:: ticked >= needed -> unlock(); break
	:: ticked < needed && !running && !ticking -> tick_once()
	:: ticked < needed && (running || ticking) ->
		unlock();
		atomic {
			!locked && (ticked >= needed || (!running && !ticking))
				-> locked = true
		}
	od;
done:
	barrier_holds = (!before[1] || drained[1]) &&
		(!before[2] || drained[2]) && (!before[3] || drained[3]);
	assert(barrier_holds);
left:
	skip
}

init
{
	atomic {
		published[1] = true;
		published[2] = (RETIRES > 1);
		drained[2] = (RETIRES < 2);
		published[3] = true;
		run owner(0); run owner(1);
		if
		:: can_create = true; run helper(); run reader()
#ifndef LIVENESS
		:: can_create = true; run helper(); run barrier()
		:: can_create = false; run reader(); run barrier()
#endif
		fi
	}
#ifndef LIVENESS
	timeout ->
	nothing_forgotten = all_drained || !can_create;
	assert(nothing_forgotten)
#endif
}

#ifdef LIVENESS
ltl all_are_drained { <> all_drained }
#endif
