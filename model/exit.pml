/* SPDX-License-Identifier: MIT */
/*
 * exit.pml - threads end and begin, while others take, split and grow.
 *
 *   mirrors   lib/thread.c, lib/cache.c, lib/pool.c, lib/chunk.c
 *   threads   3, each of which may end, and begin anew, at any time; and the
 *             helper, which takes bags
 *   bounds    2 chunks of 3 pages, 2 descriptors, CALLS calls in all
 *
 * At the beginning there is a chunk, of which a block of two is in a list and
 * the last page uncarved. A thread takes a page or a block of two, gives one to
 * its cache, retires one, or ends: then it gives back what its cache has, and
 * the cache itself, with its bag, to the next thread that begins. Where a page
 * is stands in one array.
 * Each visit to a list is a step, with what goes on in the thread's own cache;
 * so are several pushes in a row, and what is done under the registry's lock
 * between them. `fresh` and `carved` are loaded and swapped as in the code.
 * Which page a list or a cache gives does not matter: the first.
 *
 * Assumed: sequential consistency; lists and overflow are sets, and what was
 * popped stands in the stash as ready (freelist.pml has the cooling).
 *
 * Left out: limits, statistics, bundles, several pools, and regions that are
 * still open when their thread ends: they are their new owner's.
 *
 * Claims:
 *   one_holder       a page moves only by who has it
 *   nothing_lost     at the end each page is in a list, with a thread, in the
 *                    fresh chunk or in a bag that somebody will take, and
 *                    each descriptor in a list, in the depot or with a
 *                    thread
 *
 * Without its rule, each of these must break what stands beside it:
 *   -DLEAVES_FIRST       one_holder    the cache is free, and then flushed
 *   -DREST_IN_TWO_STEPS  one_holder    a rest is read, and then taken
 *   -DCACHE_KEPT         nothing_lost  an ended thread's cache keeps its pages
 *   -DSTASH_KEPT         nothing_lost  ...or its descriptors
 *   -DHALF_FORGOTTEN     nothing_lost  of a split block one half is not given
 *   -DUNUSED_PASSED_BY   nothing_lost  the helper looks at living threads only
 */
#define THREADS 3
#define CHUNKS 2
#define PAGES 3
#define MADE_MOST 2 /* descriptors */
#ifndef CALLS
#define CALLS 4
#endif

#define NONE 0
#define PAGES_MOST (CHUNKS * PAGES)
#define PAGE(chunk, i) (((chunk) - 1) * PAGES + 1 + (i))

/*
 * Where a page is. A block of two is where its first page is; the second is
 * its PART. Caches are numbers from 1 to THREADS, threads from 0.
 */
#define UNCARVED 0
#define PART 1
#define LISTED 2   /* + order */
#define OVERFLOW 4 /* + order */
#define WITH 8     /* + 2 * thread + order */
#define IN_CACHE 16
#define IN_BAG 20
byte place[PAGES_MOST + 2];

/* pool.c */
bool registry;
byte owner_of[THREADS + 1]; /* of a cache: 1 + thread */
bool unused[THREADS + 1];
byte caches;
byte stash[THREADS + 1];
byte depot;
byte made;

/* chunk.c */
byte fresh;
byte chunks;
byte carved[CHUNKS + 1];

/* Not of acre. */
byte calls;
byte begun; /* threads, in the order of their numbers: they are alike */
byte threads_done;
bool one_holder = true;
bool nothing_lost = true;

#define HOLDS(thread) \
	(IS_WITH(thread, 1) || IS_WITH(thread, 2) || IS_WITH(thread, 3) || \
	IS_WITH(thread, 4) || IS_WITH(thread, 5) || IS_WITH(thread, 6))
#define IS_WITH(thread, p) \
	(place[p] == WITH + 2 * thread || place[p] == WITH + 2 * thread + 1)

/* Within a step. */
inline move(p, from, to)
{
	one_holder = (place[p] == from);
	assert(one_holder);
	place[p] = to
}

/* The first page at that place, or NONE. */
#define FIRST(at) \
	(place[1] == (at) -> 1 : (place[2] == (at) -> 2 : \
	(place[3] == (at) -> 3 : (place[4] == (at) -> 4 : \
	(place[5] == (at) -> 5 : (place[6] == (at) -> 6 : NONE))))))

/* ---- lists ---- */

/* page, of that order, goes to a list, or to the overflow. */
inline push(from, order)
{
	if
	:: stash[cache] -> stash[cache]--; to = LISTED + order
	:: !stash[cache] && depot -> depot--; to = LISTED + order
	:: !stash[cache] && !depot && made < MADE_MOST ->
		made++;
		to = LISTED + order
	:: else -> to = OVERFLOW + order
	fi;
	move(page, from, to);
	to = 0
}

inline pop(order, to_where)
{
	page = FIRST(LISTED + order);
	if
	:: page ->
		stash[cache]++;
		move(page, LISTED + order, to_where)
	:: else ->
		page = FIRST(OVERFLOW + order);
		if
		:: page -> move(page, OVERFLOW + order, to_where)
		:: else
		fi
	fi
}

/* ---- chunks ---- */

/* Within a step. */
inline as_block(order)
{
	if
	:: order == 1 -> move(page + 1, UNCARVED, PART)
	:: else
	fi
}

inline carve(order)
{
	atomic { seen = fresh; at = (seen -> carved[seen] : PAGES) }
	do
	:: at + order >= PAGES -> break
	:: else ->
		atomic {
			if
			:: carved[seen] == at ->
				carved[seen] = at + 1 + order;
				page = PAGE(seen, at);
				move(page, UNCARVED, WITH + 2 * me + order);
				as_block(order);
				break
			:: else -> at = carved[seen]
			fi
		}
	od
}

/* What seen has from `at` on goes to the lists, the largest blocks first. */
inline give_rest()
{
	do
	:: at + 2 <= PAGES ->
		page = PAGE(seen, at);
		as_block(1);
		push(UNCARVED, 1);
		at = at + 2
	:: at + 1 == PAGES ->
		page = PAGE(seen, at);
		push(UNCARVED, 0);
		at++
	:: at == PAGES -> break
	od;
	page = NONE
}

inline take_rest()
{
#ifdef REST_IN_TWO_STEPS
	at = carved[seen];
	carved[seen] = PAGES;
#else
	atomic { at = carved[seen]; carved[seen] = PAGES }
#endif
	atomic { give_rest() }
}

inline grow()
{
	atomic {
		at = PAGES;
		if
		:: fresh == seen && chunks < CHUNKS ->
			chunks++;
			fresh = chunks;
			at = 0
		:: else
		fi
	}
	if
	:: at == 0 && seen -> take_rest()
	:: else
	fi
}

/* ---- a thread's calls ---- */

/* One half is the caller's, the other goes to a list. */
inline split()
{
	atomic { pop(1, WITH + 2 * me + 1) }
	if
	:: page ->
		atomic {
			move(page, WITH + 2 * me + 1, WITH + 2 * me);
			page++;
			move(page, PART, UNCARVED);
#ifndef HALF_FORGOTTEN
			push(UNCARVED, 0)
#endif
		}
	:: else
	fi
}

inline take_cached()
{
	page = FIRST(IN_CACHE + cache);
	if
	:: page -> move(page, IN_CACHE + cache, WITH + 2 * me)
	:: else
	fi
}

/* Once: where it would look again, the next call does. */
inline take()
{
	atomic {
		if
		:: order == 0 -> take_cached()
		:: else
		fi;
		if
		:: !page -> pop(order, WITH + 2 * me + order)
		:: else
		fi
	}
	if
	:: !page -> carve(order)
	:: else
	fi;
	if
	:: !page && order == 0 -> split()
	:: else
	fi;
	if
	:: !page -> grow()
	:: else
	fi;
	atomic { page = NONE; seen = NONE; at = 0; order = 0 }
}

inline flush()
{
	do
	:: page = FIRST(IN_CACHE + cache);
		if
		:: page -> push(IN_CACHE + cache, 0)
		:: else -> break
		fi
	od
}

/* A page goes to the cache, which gives what it had to a list; a block goes to
 * a list. */
inline give()
{
	page = FIRST(WITH + 2 * me + 1);
	if
	:: page -> push(WITH + 2 * me + 1, 1)
	:: else ->
		flush();
		page = FIRST(WITH + 2 * me);
		move(page, WITH + 2 * me, IN_CACHE + cache)
	fi;
	page = NONE
}

inline retire()
{
	page = FIRST(WITH + 2 * me + 1);
	page = (page -> page : FIRST(WITH + 2 * me));
	place[page] = IN_BAG + cache;
	page = NONE
}

inline close_all()
{
	do
	:: HOLDS(me) -> give()
	:: else -> break
	od
}

/* The cache is the next thread's. */
inline leave()
{
#ifndef STASH_KEPT
	depot = depot + stash[cache];
	stash[cache] = 0;
#endif
	owner_of[cache] = 0;
	unused[cache] = true
}

/* As end_thread; what is still open is closed first. */
inline end()
{
	atomic { close_all() }
#ifdef LEAVES_FIRST
	atomic { !registry -> leave() }
	/* Two steps, as now others are in its bins too. */
	page = FIRST(IN_CACHE + cache);
	if
	:: page -> atomic { push(IN_CACHE + cache, 0) }
	:: else
	fi;
	page = NONE;
#else
	atomic { !registry -> registry = true }
#ifndef CACHE_KEPT
	atomic { flush() }
#endif
	atomic { leave(); registry = false }
#endif
	cache = NONE
}

/* As add_cache: one that is unused, or a new one. */
inline begin()
{
	!registry ->
	if
	:: unused[1] -> cache = 1
	:: !unused[1] && unused[2] -> cache = 2
	:: !unused[1] && !unused[2] && unused[3] -> cache = 3
	:: else -> caches++; cache = caches
	fi;
	unused[cache] = false;
	owner_of[cache] = 1 + me
}

proctype thread(byte me)
{
	byte cache, page, order, to, seen, at;

	do
	:: atomic {
		calls < CALLS && me <= begun ->
		calls++;
		begun = (me == begun -> begun + 1 : begun)
	   }
		if
		:: atomic { !cache -> begin() }
		:: else
		fi;
		if
		:: atomic { true -> if :: order = 0 :: order = 1 fi }
			take()
		:: atomic { HOLDS(me) -> give() }
		:: atomic { HOLDS(me) -> retire() }
		:: true -> end()
		fi
	:: atomic { calls == CALLS -> threads_done++; break }
	od
}

/* ---- the helper ---- */

#ifdef UNUSED_PASSED_BY
#define HAS_BAG(cache) owner_of[cache]
#else
#define HAS_BAG(cache) (owner_of[cache] || unused[cache])
#endif

/* It has no descriptor of its own. */
inline take_bag(cache)
{
	page = FIRST(IN_BAG + cache);
	if
	:: page && HAS_BAG(cache) ->
		place[page] = OVERFLOW + (place[page + 1] == PART)
	:: else
	fi
}

proctype helper()
{
	byte page;

	do
	:: atomic { !registry -> take_bag(1); page = NONE }
	:: atomic { !registry -> take_bag(2); page = NONE }
	:: atomic { !registry -> take_bag(3); page = NONE }
	:: threads_done == THREADS -> break
	od
}

/* ---- at the end ---- */

#define IS_LISTED(p) (place[p] == LISTED || place[p] == LISTED + 1)

#define STRAY_IN_CACHE(p, c) (place[p] == IN_CACHE + c && !owner_of[c])
#define STRAY_IN_BAG(p, c) (place[p] == IN_BAG + c && !HAS_BAG(c))

inline check_cache(cache)
{
	found = found + (owner_of[cache] -> stash[cache] : 0);
	for (page : 1 .. PAGES_MOST) {
		nothing_lost = nothing_lost && !STRAY_IN_CACHE(page, cache) &&
			!STRAY_IN_BAG(page, cache)
	}
}

inline check()
{
	found = depot;
	check_cache(1);
	check_cache(2);
	check_cache(3);
	for (page : 1 .. PAGES_MOST) {
		found = found + IS_LISTED(page);
		nothing_lost = nothing_lost && (place[page] != UNCARVED ||
			(page - 1) / PAGES + 1 >= fresh)
	}
	nothing_lost = nothing_lost && found == made
}

init
{
	byte page, found;

	atomic {
		fresh = 1; chunks = 1; carved[1] = 2;
		place[1] = LISTED + 1; place[2] = PART; made = 1;
		run thread(0); run thread(1); run thread(2); run helper()
	}
	_nr_pr == 1;
	d_step { check() }
	assert(nothing_lost)
}
