/* SPDX-License-Identifier: MIT */
/*
 * idle.pml - the caches of idle threads are taken back.
 *
 *   mirrors   lib/claim.c, and begin and end of lib/cache.h and thread.c
 *   threads   2 owners with 2 caches each, and a reclaimer; one owner reclaims
 *             the other's too, from the midst of its own work
 *   bounds    OPS operations an owner, TRIES tries of any cache for the
 *             reclaimer and one for that owner
 *
 * An owner has two words that a reclaimer reads: `busy`, and `last`, the cache
 * it used last; each cache has `claimed`. An owner's stores, also those to the
 * bins, go through a store buffer, first in first out, as on x86: they become
 * visible one by one at any later time, and the owner sees its own. membarrier
 * empties all buffers, a lock the caller's. Each load and store is a step.
 *
 * Assumed: the compiler keeps the owner's store of busy before its load of
 * last (a signal fence says so). x86's order otherwise: loads are not moved
 * over loads. What is argued for all machines: membarrier is a full barrier
 * on both sides, and what follows a release is not seen before it.
 *
 * Left out: the chains (who is in them is what is claimed), how a cache is
 * found, the end of threads, which is under the registry's lock as a whole. A
 * call of the application's, which may use its other cache, must not come from
 * within the bracket: see NESTED.
 *
 * Claims:
 *   alone_in_the_bins  the owner and a reclaimer are never in them at once
 *   nobody_waits       for ever, that is: no invalid end state
 *
 * Short: -DOPS=1
 *
 * Without its rule, each of these must break what stands beside it:
 *   -DNO_MEMBARRIER        alone_in_the_bins  busy may still be in the buffer
 *   -DLAST_NOT_READ_AGAIN  alone_in_the_bins  the owner may have put it back
 *   -DBUSY_NOT_READ        alone_in_the_bins  ...or be at work
 *   -DBUSY_AFTER_LAST      alone_in_the_bins  the owner looks, then says busy
 *   -DCLAIMED_UNSEEN       alone_in_the_bins  the slow path ignores claimed
 *   -DNESTED               alone_in_the_bins  a call in a call ends its bracket
 */
#define OWNERS 2
#define CACHES 4
#define BUFFER 5
#ifndef OPS
#define OPS 2
#endif
#ifndef TRIES
#define TRIES 1
#endif

/* Caches are numbers from 1: owner o has 2 * o + 1 and 2 * o + 2. */
#define DUMMY 0
#define OWNER_OF(cache) (((cache) - 1) / 2)

bool claimed[CACHES + 1];
bool busy[OWNERS];
byte last[OWNERS];
bool registry;

/* What is in a store buffer: a cache, to be stored to last; or one of these,
 * the second with the cache added whose bins have all that was stored. */
#define BUSY 8
#define IDLE 9
#define LEAVES 16
chan buffer[OWNERS] = [BUFFER] of { byte };

/* Not of acre: who is in the bins. */
byte owner_in[CACHES + 1];
bool reclaimer_in[CACHES + 1];
bool alone_in_the_bins = true;

inline check(cache)
{
	alone_in_the_bins = !(owner_in[cache] && reclaimer_in[cache]);
	assert(alone_in_the_bins)
}

/* ---- store buffers ---- */

/* The oldest store becomes visible. */
inline drain_one(owner)
{
	buffer[owner]?word;
	if
	:: word == BUSY -> busy[owner] = true
	:: word == IDLE -> busy[owner] = false
	:: word > LEAVES -> owner_in[word - LEAVES]--
	:: else -> last[owner] = word
	fi;
	word = 0
}

inline drain(owner)
{
	do
	:: nempty(buffer[owner]) -> drain_one(owner)
	:: empty(buffer[owner]) -> break
	od
}

proctype memory(byte owner)
{
	byte word;

end_idle:
	do
	:: d_step { nempty(buffer[owner]) -> drain_one(owner) }
	od
}

/* ---- a reclaimer ---- */

inline lock()
{
	atomic { !registry -> registry = true }
}

inline unlock()
{
	registry = false
}

inline membarrier()
{
	d_step { drain(0); drain(1) }
}

/* With the registry's lock. */
inline try(cache)
{
	claimed[cache] = true;
	if
	:: last[OWNER_OF(cache)] == cache -> last[OWNER_OF(cache)] = DUMMY
	:: else
	fi;
#ifndef NO_MEMBARRIER
	membarrier();
#endif
	if
#ifndef BUSY_NOT_READ
	:: busy[OWNER_OF(cache)]
#endif
	:: else ->
		if
#ifndef LAST_NOT_READ_AGAIN
		:: last[OWNER_OF(cache)] == cache
#endif
		:: else ->
			atomic { reclaimer_in[cache] = true; check(cache) }
			reclaimer_in[cache] = false
		fi
	fi;
	claimed[cache] = false
}

proctype reclaimer()
{
	byte word, tries, cache;

	do
	:: tries < TRIES ->
		lock();
		tries++;
		select(cache : 1 .. CACHES);
		try(cache);
		atomic { unlock(); cache = 0 }
	:: atomic { tries == TRIES -> tries = 0; break }
	od
}

/* ---- an owner ---- */

/* What the owner sees of its last: its own newest store, or memory's. */
#define LAST_SEEN \
	(buffer[me]??[eval(mine)] -> mine : last[me])

/* Memory for this cache is out: another owner's is looked at. */
inline reclaim()
{
	atomic { !registry -> registry = true; drain(me) }
	tried = 1;
	if
	:: true
	:: tried++
	fi;
	try(tried);
	atomic { unlock(); tried = DUMMY }
}

/* A call of the application's, within the work on another cache. */
inline nested(other)
{
	buffer[me]!BUSY;
	mine = other;
	buffer[me]!other;
	buffer[me]!IDLE
}

inline work(cache)
{
	atomic { owner_in[cache]++; check(cache) }
	if
	:: true
	:: me == 1 && !reclaimed -> reclaimed = true; reclaim()
#ifdef NESTED
	:: nested(4 * me + 3 - cache)
#endif
	fi;
	buffer[me]!LEAVES + cache
}

inline begin(cache)
{
#ifdef BUSY_AFTER_LAST
	at_hand = (LAST_SEEN == cache);
	buffer[me]!BUSY
#else
	buffer[me]!BUSY;
	at_hand = (LAST_SEEN == cache)
#endif
}

inline operate(cache)
{
	begin(cache);
	do
	:: at_hand -> break
#ifndef CLAIMED_UNSEEN
	:: !at_hand && claimed[cache] ->
		buffer[me]!IDLE;
		atomic { !registry -> drain(me) }
		begin(cache)
#endif
	:: else ->
		if
		:: true
		:: mine = cache; buffer[me]!cache
		fi;
		break
	od;
	work(cache);
	buffer[me]!IDLE
}

proctype owner(byte me)
{
	byte word, ops, mine, cache, tried;
	bool at_hand, reclaimed;

	do
	:: ops < OPS ->
		ops++;
		select(cache : 2 * me + 1 .. 2 * me + 2);
		operate(cache);
		d_step { cache = 0; at_hand = false }
	:: atomic { ops == OPS -> ops = 0; mine = 0; reclaimed = false; break }
	od
}

init
{
	atomic {
		run memory(0); run memory(1);
		run owner(0); run owner(1);
		run reclaimer()
	}
}
