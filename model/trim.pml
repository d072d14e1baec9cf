/* SPDX-License-Identifier: MIT */
/*
 * trim.pml - chunks go back to the source while others carve, grow and pop.
 *
 *   mirrors   lib/trim.c, lib/store.c, lib/chunk.c, lib/grace.c
 *   threads   2 users, a trimmer, and the helper
 *   bounds    CHUNKS chunks of 2 pages, CALLS calls of users; the trimmer
 *             goes on as long as there are users
 *
 * A user takes a page, off the lists, from the store or from the fresh chunk,
 * or makes a new chunk; or it takes two pages side by side, from the fresh
 * chunk only, so that what is too small for that has a rest; or it gives a page
 * back to the lists. The trimmer sorts pages
 * of the lists into the store, takes chunks whose carved pages are all there,
 * gives them back, and puts pages back into the lists. Where a page is stands
 * in one array; the words that decide about it, `fresh` and each chunk's
 * `carved`, are loaded and swapped as in the code, a step each. A section
 * begins with the load of fresh and ends with the last use of the record:
 * earlier or later it would only protect more.
 *
 * Assumed: sequential consistency; lists are sets from which a page is taken
 * in one step (freelist.pml has them); liburcu as there. A chunk that has been
 * given back is another one when it comes again.
 *
 * Left out: larger blocks in lists and store, purging, the table (a chunk is
 * found from some time on after it was published), limits, bounds on a trim's
 * work.
 *
 * Claims:
 *   memory_is_there  of each page that somebody takes, holds or gives
 *   record_is_there  of each chunk whose record somebody looks at
 *   nothing_lost     at the end each page is in a list, in the store, with a
 *                    user or in the fresh chunk; or its chunk was given back
 *
 * Short: -DCALLS=6
 *
 * Without its rule, each of these must break what stands beside it:
 *   -DNO_GRACE        record_is_there  a record is freed with its memory
 *   -DCARVE_OUTSIDE   record_is_there  carving is in no section
 *   -DGROW_OUTSIDE    record_is_there  growing is in no section
 *   -DPAGE_OUT        memory_is_there  a page of the chunk is out
 *   -DREST_LEFT       memory_is_there  fresh, and its rest is not taken first
 *   -DREST_OF_FRESH   memory_is_there  ...or not if it is not fresh any more
 *   -DLOCK_PASSED_BY  memory_is_there  a user does not lock the store
 *   -DREST_FORGOTTEN  nothing_lost     a grower does not come for the rest
 */
#define USERS 2
#define PAGES 2 /* of a chunk */
#define TRIMMER USERS
#ifndef CHUNKS
#define CHUNKS 3
#endif
#ifndef CALLS
#define CALLS 7
#endif

#define NONE 0
#define PAGES_MOST (CHUNKS * PAGES)

/* Chunks are numbers from 1, and the pages of chunk c these two. */
#define PAGE(chunk, i) (((chunk) - 1) * PAGES + 1 + (i))
#define CHUNK_OF(page) (((page) - 1) / PAGES + 1)

/* Where a page is; with a user: that user's number. */
mtype = {UNCARVED, LISTED, STORED};
#define WITH(thread) (8 + (thread))
byte place[PAGES_MOST + 1];

/* chunk.c */
byte fresh;
byte made;
byte carved[CHUNKS + 1];
bool in_table[CHUNKS + 1];
bool locked;

/* What became of a chunk. */
bool given[CHUNKS + 1];
bool gone[CHUNKS + 1]; /* the record waits for its grace period */
bool freed[CHUNKS + 1];
byte needed[CHUNKS + 1];

/* grace.c and liburcu */
byte sequence;
byte wanted;
bool inside[USERS];
bool waited[USERS];

/* Not of acre. */
byte calls;
byte users_done;
bool memory_is_there = true;
bool record_is_there = true;
bool nothing_lost = true;

#define GRACE_NEEDED ((sequence + 3) & 254)
#define STORED_OF(chunk) \
	((place[PAGE(chunk, 0)] == STORED) + (place[PAGE(chunk, 1)] == STORED))

inline use_page(page)
{
	memory_is_there = !given[CHUNK_OF(page)];
	assert(memory_is_there)
}

inline use_record(chunk)
{
	record_is_there = !freed[chunk];
	assert(record_is_there)
}

inline move(page, from, to)
{
	assert(place[page] == from);
	place[page] = to;
	use_page(page)
}

/* page becomes any that is at that place, or NONE. */
inline choose_page(where)
{
	if
	:: place[1] == where -> page = 1
	:: place[2] == where -> page = 2
	:: place[3] == where -> page = 3
	:: place[4] == where -> page = 4
	:: place[5] == where -> page = 5
	:: place[6] == where -> page = 6
	:: else -> page = NONE
	fi
}

inline lock()
{
	atomic { !locked -> locked = true }
}

inline unlock()
{
	locked = false
}

/* ---- a user ---- */

inline enter()
{
	inside[me] = true
}

inline leave()
{
	inside[me] = false;
	waited[me] = false
}

inline pop()
{
	atomic {
		choose_page(LISTED);
		if
		:: page -> move(page, LISTED, WITH(me))
		:: else
		fi
	}
}

inline store_take()
{
	atomic {
#ifndef LOCK_PASSED_BY
		!locked ->
#endif
		choose_page(STORED);
		if
		:: page -> move(page, STORED, WITH(me))
		:: else
		fi
	}
}

/* seen becomes the fresh chunk, page the first of `size` of its pages. */
inline carve()
{
	atomic {
#ifndef CARVE_OUTSIDE
		enter();
#endif
		seen = fresh
	}
	if
	:: seen -> atomic { use_record(seen); at = carved[seen] }
	:: else -> at = PAGES
	fi;
	do
	:: at + size > PAGES -> break
	:: else ->
		atomic {
			use_record(seen);
			if
			:: carved[seen] == at ->
				carved[seen] = at + size;
				page = PAGE(seen, at);
				move(page, UNCARVED, WITH(me));
				if
				:: size == 2 ->
					move(page + 1, UNCARVED, WITH(me))
				:: else
				fi;
				break
			:: else -> at = carved[seen]
			fi
		}
	od;
	atomic { leave(); at = 0 }
}

/* Chunks that others publish before are not counted: nobody sees this one. */
inline publish()
{
	published = (fresh == seen && made < CHUNKS);
	if
	:: published -> made++; fresh = made; chunk = made
	:: else
	fi
}

inline give_rest()
{
	do
	:: at < PAGES ->
		atomic { move(PAGE(seen, at), UNCARVED, LISTED); at++ }
	:: else -> break
	od
}

inline grow()
{
	atomic {
#ifndef GROW_OUTSIDE
		enter();
#endif
		publish()
	}
	if
	:: published ->
		in_table[chunk] = true;
		if
#ifndef REST_FORGOTTEN
		:: seen ->
			atomic {
				use_record(seen);
				at = carved[seen];
				carved[seen] = PAGES;
				leave()
			}
			give_rest()
#endif
		:: else -> atomic { leave() }
		fi
	:: else -> atomic { leave() }
	fi;
	atomic { published = false; chunk = NONE; at = 0 }
}

/* As pool_refill, once: page stays NONE where it would look again. */
inline take()
{
	if
	:: size == 1 -> pop()
	:: else /* lists have pages only */
	fi;
	if
	:: !page && size == 1 -> store_take()
	:: else
	fi;
	if
	:: !page -> carve()
	:: else
	fi;
	if
	:: !page -> grow()
	:: else
	fi;
	atomic { page = NONE; seen = NONE; size = 0 }
}

inline give()
{
	move(page, WITH(me), LISTED);
	page = NONE
}

proctype user(byte me)
{
	byte page, size, seen, at, chunk;
	bool published;

	do
	:: atomic { calls < CALLS -> calls++ }
		if
		:: atomic {
			choose_page(WITH(me));
			if
			:: page -> give()
			:: else
			fi
		   }
		:: atomic { true -> if :: size = 1 :: size = 2 fi }
			take()
		fi
	:: atomic { calls == CALLS -> users_done++; break }
	od
}

/* ---- the trimmer ---- */

inline sort_page()
{
	atomic {
		choose_page(LISTED);
		if
		:: page -> move(page, LISTED, WITH(TRIMMER))
		:: else
		fi
	}
	if
	:: page ->
		atomic {
			!locked ->
			if
			:: in_table[CHUNK_OF(page)] ->
				move(page, WITH(TRIMMER), STORED)
			:: else -> move(page, WITH(TRIMMER), LISTED)
			fi;
			page = NONE
		}
	:: else
	fi
}

/* Put a stored page back. */
inline push_back()
{
	atomic {
		!locked ->
		choose_page(STORED);
		if
		:: page -> move(page, STORED, LISTED)
		:: else
		fi;
		page = NONE
	}
}

/* As list_if_whole: chunk becomes one that looks whole, or NONE. */
#ifdef PAGE_OUT
#define LOOKS_WHOLE(c) (in_table[c] && STORED_OF(c))
#else
#define LOOKS_WHOLE(c) \
	(in_table[c] && STORED_OF(c) && STORED_OF(c) == carved[c])
#endif

inline choose_chunk()
{
	if
	:: LOOKS_WHOLE(1) -> chunk = 1
	:: LOOKS_WHOLE(2) -> chunk = 2
	:: LOOKS_WHOLE(3) -> chunk = 3
	:: else -> chunk = NONE
	fi
}

/* With the lock. taken becomes whether nobody can carve it any more. */
inline take_rest_of(chunk)
{
	atomic {
#if defined(REST_LEFT)
		taken = (carved[chunk] == STORED_OF(chunk))
#elif defined(PAGE_OUT)
		taken = true;
		carved[chunk] = PAGES
#elif defined(REST_OF_FRESH)
		taken = (carved[chunk] == STORED_OF(chunk));
		if
		:: taken && fresh == chunk -> carved[chunk] = PAGES
		:: else
		fi
#else
		if
		:: carved[chunk] == STORED_OF(chunk) ->
			taken = true;
			carved[chunk] = PAGES
		:: else
		fi
#endif
	}
}

/* With the lock. The store has its pages no more. */
inline take_page(p)
{
	if
	:: place[p] == STORED -> place[p] = NONE
	:: else
	fi
}

/* Its memory goes: whoever has a page of it, or gets one, finds out. */
inline give_back()
{
	atomic {
		memory_is_there = (place[PAGE(chunk, 0)] == NONE ||
			place[PAGE(chunk, 0)] == UNCARVED) &&
			(place[PAGE(chunk, 1)] == NONE ||
			place[PAGE(chunk, 1)] == UNCARVED);
		assert(memory_is_there);
		given[chunk] = true
	}
	atomic {
#ifdef NO_GRACE
		freed[chunk] = true
#else
		needed[chunk] = GRACE_NEEDED;
		wanted = needed[chunk];
		gone[chunk] = true
#endif
	}
}

inline give_chunk()
{
	lock();
	atomic { choose_chunk() }
	if
	:: chunk -> take_rest_of(chunk)
	:: else
	fi;
	if
	:: taken ->
		atomic {
			if
			:: fresh == chunk -> fresh = NONE
			:: else
			fi
		}
		atomic {
			in_table[chunk] = false;
			take_page(PAGE(chunk, 0));
			take_page(PAGE(chunk, 1));
			unlock()
		}
		give_back()
	:: else -> unlock()
	fi;
	atomic { chunk = NONE; taken = false }
}

/* Under the lock, whoever gives a chunk next; here at any time. */
inline free_gone(chunk)
{
	atomic {
		gone[chunk] && sequence >= needed[chunk] ->
		gone[chunk] = false;
		needed[chunk] = 0;
		freed[chunk] = true
	}
}

proctype trimmer()
{
	byte page, chunk;
	bool taken;

	do
	:: sort_page()
	:: push_back()
	:: give_chunk()
	:: free_gone(1)
	:: free_gone(2)
	:: free_gone(3)
	:: users_done == USERS -> break
	od
}

proctype helper()
{
end_asleep:
	do
	:: sequence < wanted ->
		sequence++;
		d_step { waited[0] = inside[0]; waited[1] = inside[1] }
		!waited[0] && !waited[1];
		sequence++
	od
}

/* ---- at the end ---- */

inline check(chunk)
{
	nothing_lost = nothing_lost && (given[chunk] || fresh == chunk ||
		(place[PAGE(chunk, 0)] != UNCARVED &&
		place[PAGE(chunk, 1)] != UNCARVED))
}

init
{
	atomic {
		place[1] = UNCARVED; place[2] = UNCARVED; place[3] = UNCARVED;
		place[4] = UNCARVED; place[5] = UNCARVED; place[6] = UNCARVED;
		run helper(); run user(0); run user(1); run trimmer()
	}
	_nr_pr == 2; /* the helper and this one */
	atomic {
		if :: made >= 1 -> check(1) :: else fi;
		if :: made >= 2 -> check(2) :: else fi;
		if :: made >= 3 -> check(3) :: else fi;
		assert(nothing_lost)
	}
}
