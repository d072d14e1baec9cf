/* SPDX-License-Identifier: MIT */
/*
 * retire.c - regions are replaced and retired while others read them.
 *
 *   owner    fills a region --exchange--> [slots] --the old one--> retire
 *   reader   enters a section, verifies what a slot has, lingers, leaves
 *   helper   runs the region's cleanup, which verifies it once more
 *
 * Half of the threads are owners, half are readers. Owners also fill and close
 * other regions, so that memory which comes back too early is written at once
 * with another's words. What readers need to find their way is in an entry
 * outside of the region, so that a region that is gone is a failure that is
 * told, not a crash.
 *
 * Built with ACRE_PROBE_SKIP_GRACE, retire does not wait for readers, and this
 * must fail.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-bp.h>

#include "lib/atomic.h"
#include "stress/common.h"
#include "stress/filled.h"

#define SLOTS 16
#define ENTRIES 2048 /* of each owner */
#define FEW_OBJECTS 12
#define OBJECT_BYTES 2000
#define LIMBO_BYTES ((size_t)16 << 20)
#define LIMBO_PORTION (LIMBO_BYTES / 64) /* at most; a thread's, read late */
#define NAP_MS 10 /* between two looks at what must be true */
#define MEBIBYTE (1024.0 * 1024.0)

/* An entry's life; in its word, below the number of its lives. */
enum life {
	FREE,
	PUBLISHED, /* also: about to be */
	UNLINKED,  /* in no slot; acre has it or is about to get it */
	RETIRED,   /* acre has accepted it */
	LIVES
};

struct entry {
	alignas(CACHE_LINE) _Atomic(uint64_t) word;
	acre_cleanup cleanup;
	struct filled filled;
};

/* Latencies: each power of two nanoseconds in so many parts. */
#define PARTS 8
#define BUCKETS (40 * PARTS)

struct worker {
	pthread_t thread;
	unsigned number;
	struct chance chance;
	struct tally tally;
	uint64_t regions; /* filled */
	uint64_t retired, refused, children, reads, barriers;
	struct entry *entries;
	size_t next;
	uint64_t latency[BUCKETS];
	uint64_t longest;
};

static acre_pool *pool;
static _Atomic(struct entry *) slots[SLOTS];

static acre_pool_options
options(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (acre_pool_options){
		.page_size = page,
		.chunk_size = 64 * page,
		.cache_bytes = 32 * page,
		.limbo_bytes = LIMBO_BYTES,
		.name = "retire",
	};
}

/* ---- entries ---- */

static enum life
life_of(uint64_t word)
{
	return (enum life)(word % LIVES);
}

/* Its holder moves an entry on. */
static void
set_life(struct entry *entry, enum life life)
{
	uint64_t word = load_relaxed(&entry->word);

	store_release(&entry->word, word - life_of(word) + life);
}

/* The region's cleanup, on the helper. */
static void
on_end(void *argument)
{
	struct entry *entry = argument;
	uint64_t word = load_acquire(&entry->word);
	struct entry *other;

	if (life_of(word) != UNLINKED && life_of(word) != RETIRED)
		stress_fail("region %" PRIx64 " ended in state %d",
			entry->filled.id, life_of(word));
	for (size_t i = 0; i < SLOTS; i++) {
		other = load_relaxed(&slots[i]);
		if (other == entry)
			stress_fail("region %" PRIx64 " ended in a slot",
				entry->filled.id);
	}
	filled_verify(&entry->filled);
	/* Its next life. Release: pairs with the acquire in free_entry. */
	while (!cas_seq_cst_or_acquire(&entry->word, &word,
		word - life_of(word) + LIVES))
		;
}

/* All that was retired before has ended. */
static void
check_barrier(struct worker *w)
{
	uint64_t *before = stress_malloc(ENTRIES * sizeof(*before));

	for (size_t i = 0; i < ENTRIES; i++)
		before[i] = load_acquire(&w->entries[i].word);
	if (acre_pool_barrier(pool))
		stress_fail("a barrier was refused");
	for (size_t i = 0; i < ENTRIES; i++)
		if (life_of(before[i]) == RETIRED &&
			load_acquire(&w->entries[i].word) == before[i])
			stress_fail("a barrier left a retired region");
	free(before);
	w->barriers++;
}

static struct entry *
free_entry(struct worker *w)
{
	for (;;) {
		for (size_t i = 0; i < ENTRIES; i++) {
			struct entry *entry = &w->entries[w->next];

			w->next = (w->next + 1) % ENTRIES;
			if (life_of(load_acquire(&entry->word)) == FREE)
				return entry;
		}
		check_barrier(w);
	}
}

/* ---- owners ---- */

static void
add_objects(struct worker *w, struct filled *filled)
{
	size_t most = chance_once_in(&w->chance, 64) ? FILLED_OBJECTS :
						       FEW_OBJECTS;
	size_t largest = chance_size(&w->chance, OBJECT_BYTES);

	for (size_t n = chance_below(&w->chance, most + 1); n; n--)
		if (!filled_add(filled, 16 + chance_below(&w->chance, largest),
			    &w->tally))
			stress_fail("no memory for an object");
}

static bool
fill(struct worker *w, struct filled *filled)
{
	if (!filled_open(filled, pool, filled_id(w->number, w->regions++),
		    &w->tally)) {
		stress_fail("no memory to open a region");
		return false;
	}
	add_objects(w, filled);
	return true;
}

/* An empty child: the helper will close it. */
static void
add_child(struct worker *w, struct filled *filled)
{
	if (!acre_region_open_with(pool, &(acre_region_options){
		    .parent = filled->region}))
		stress_fail("no memory for a child");
	w->tally.opened++;
	w->tally.pages_taken++;
	w->children++;
}

/* Write over memory that has come back. */
static void
poison(struct worker *w)
{
	struct filled filled;

	if (fill(w, &filled))
		filled_close(&filled, &w->tally);
}

static struct entry *
make_entry(struct worker *w)
{
	struct entry *entry = free_entry(w);

	if (!fill(w, &entry->filled))
		return NULL;
	if (chance_once_in(&w->chance, 16))
		add_child(w, &entry->filled);
	acre_cleanup_link(entry->filled.region, &entry->cleanup, on_end,
		entry);
	set_life(entry, PUBLISHED);
	return entry;
}

static uint64_t
nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static size_t
bucket_of(uint64_t time)
{
	unsigned octave = 63 - (unsigned)__builtin_clzll(time | PARTS);
	size_t bucket = (octave - 3) * PARTS + (time >> (octave - 3)) - PARTS;

	return time < PARTS ? time : bucket + PARTS < BUCKETS ?
		bucket + PARTS : BUCKETS - 1;
}

/* The least time of a bucket. */
static uint64_t
time_of(size_t bucket)
{
	size_t octave = bucket / PARTS;

	return octave ? (PARTS + bucket % PARTS) << (octave - 1) : bucket;
}

static void
count_latency(struct worker *w, uint64_t time)
{
	w->latency[bucket_of(time)]++;
	if (time > w->longest)
		w->longest = time;
}

/* Inside a section it may be refused, and then nothing has changed. */
static bool
retire_inside(struct worker *w, struct entry *entry)
{
	int error;

	urcu_bp_read_lock();
	error = acre_region_retire(entry->filled.region);
	if (error == EAGAIN) {
		w->refused++;
		if (acre_region_held(entry->filled.region) !=
			entry->filled.held)
			stress_fail("a refused region holds something else");
		filled_verify(&entry->filled);
	} else if (error) {
		stress_fail("retire in a section returned %d", error);
	}
	acre_reader_leaves(NULL);
	urcu_bp_read_unlock();
	return error != EAGAIN;
}

static void
retire_outside(struct worker *w, struct entry *entry)
{
	uint64_t begin = nanoseconds();
	int error = acre_region_retire(entry->filled.region);

	count_latency(w, nanoseconds() - begin);
	if (error)
		stress_fail("retire returned %d", error);
}

/* The entry is the caller's, which took it out of its slot. */
static void
retire(struct worker *w, struct entry *entry)
{
	size_t held = entry->filled.held;
	uint64_t unlinked;

	set_life(entry, UNLINKED);
	unlinked = load_relaxed(&entry->word);
	if (!chance_once_in(&w->chance, 16) || !retire_inside(w, entry))
		retire_outside(w, entry);
	/* Unless it has ended already. */
	cas_strong_acq_rel(&entry->word, &unlinked,
		unlinked - UNLINKED + RETIRED);
	w->tally.bytes_held -= held;
	w->retired++;
}

static void
put(struct worker *w, size_t slot, struct entry *entry)
{
	/* Publishes, as rcu_xchg_pointer, for ThreadSanitizer to see. */
	struct entry *old = exchange_seq_cst(&slots[slot], entry);

	if (old)
		retire(w, old);
}

static void *
own(void *argument)
{
	struct worker *w = argument;
	struct entry *entry;

	while (stress_goes_on()) {
		entry = make_entry(w);
		if (!entry)
			break;
		put(w, chance_below(&w->chance, SLOTS), entry);
		if (chance_once_in(&w->chance, 2))
			poison(w);
		if (chance_once_in(&w->chance, 5000))
			check_barrier(w);
	}
	return NULL;
}

/* ---- readers ---- */

static void
linger(struct worker *w)
{
	if (chance_once_in(&w->chance, 2000))
		stress_pause_ms(1 + (unsigned)chance_below(&w->chance, 20));
	else if (chance_once_in(&w->chance, 16))
		for (size_t n = chance_below(&w->chance, 10); n; n--)
			sched_yield();
}

static void
check_life(const struct entry *entry, uint64_t word)
{
	uint64_t now = load_acquire(&entry->word);

	if (life_of(word) == FREE || now / LIVES != word / LIVES)
		stress_fail("a region ended while it was read");
}

static void
read_slot(struct worker *w)
{
	size_t slot = chance_below(&w->chance, SLOTS);
	struct entry *entry;
	uint64_t word;

	urcu_bp_read_lock();
	/* As rcu_dereference, for ThreadSanitizer to see. */
	entry = load_acquire(&slots[slot]);
	if (entry) {
		word = load_acquire(&entry->word);
		filled_verify(&entry->filled);
		linger(w);
		filled_verify(&entry->filled);
		check_life(entry, word);
		w->reads++;
	}
	acre_reader_leaves(NULL);
	urcu_bp_read_unlock();
}

static void *
read_slots(void *argument)
{
	struct worker *w = argument;

	while (stress_goes_on())
		read_slot(w);
	return NULL;
}

/* ---- the whole ---- */

/* The most that a region and its child hold. */
static size_t
largest_bytes(const acre_pool_options *o)
{
	return stress_region_bytes(o->page_size, FILLED_OBJECTS) + 32768;
}

static size_t
limbo_most(void)
{
	return LIMBO_BYTES + stress.threads * LIMBO_PORTION;
}

/* Look, while the threads work; returns the most bytes seen in limbo. */
static size_t
watch(const acre_pool_options *o)
{
	size_t regions = SLOTS + 3 * stress.threads;
	size_t bound = stress_bound(o,
		regions * largest_bytes(o) + limbo_most(), largest_bytes(o),
		stress.threads + 1);
	size_t peak = 0;
	acre_stats s;

	while (stress_goes_on()) {
		stress_pause_ms(NAP_MS);
		acre_pool_stats(pool, &s);
		if (s.limbo_bytes > peak)
			peak = s.limbo_bytes;
		if (s.limbo_bytes > limbo_most())
			stress_fail("%zu bytes in limbo, more than %zu",
				s.limbo_bytes, limbo_most());
		stress_check_bound(pool, bound);
	}
	return peak;
}

static struct worker *
start(unsigned owners)
{
	struct worker *workers = calloc(stress.threads, sizeof(*workers));

	if (!workers)
		abort();
	for (unsigned i = 0; i < stress.threads; i++) {
		struct worker *w = &workers[i];
		size_t size = ENTRIES * sizeof(*w->entries);

		w->number = i;
		w->chance = chance_of(i);
		if (i < owners) {
			w->entries = aligned_alloc(CACHE_LINE, size);
			if (!w->entries)
				abort();
			memset(w->entries, 0, size);
		}
		stress_thread(&w->thread, i < owners ? own : read_slots, w);
	}
	return workers;
}

/* Join, and add up in the first worker. */
static void
join(struct worker *workers)
{
	struct worker *sum = &workers[0];

	pthread_join(sum->thread, NULL);
	for (unsigned i = 1; i < stress.threads; i++) {
		struct worker *w = &workers[i];

		pthread_join(w->thread, NULL);
		tally_add(&sum->tally, &w->tally);
		sum->retired += w->retired;
		sum->refused += w->refused;
		sum->children += w->children;
		sum->reads += w->reads;
		sum->barriers += w->barriers;
		for (size_t b = 0; b < BUCKETS; b++)
			sum->latency[b] += w->latency[b];
		if (w->longest > sum->longest)
			sum->longest = w->longest;
	}
}

/* Retire what is left; then nothing is in limbo and all is accounted for. */
static void
finish(struct worker *workers, unsigned owners, const acre_pool_options *o)
{
	struct worker *sum = &workers[0];
	acre_stats s;

	for (size_t i = 0; i < SLOTS; i++)
		put(sum, i, NULL);
	check_barrier(sum);
	for (size_t i = 0; i < owners * (size_t)ENTRIES; i++) {
		struct entry *entry =
			&workers[i / ENTRIES].entries[i % ENTRIES];

		if (life_of(load_acquire(&entry->word)) != FREE)
			stress_fail("a region has not ended");
	}
	acre_pool_stats(pool, &s);
	if (s.regions_retired != sum->retired)
		stress_fail("regions_retired is %" PRIu64 ", not %" PRIu64,
			s.regions_retired, sum->retired);
	if (s.limbo_bytes)
		stress_fail("%zu bytes in limbo at the end", s.limbo_bytes);
	sum->tally.closed += sum->children;
	stress_check_at_rest(pool, o, &sum->tally);
	stress_check_pages(pool, o);
	stress_destroy(pool);
}

static uint64_t
quantile(const struct worker *sum, double part)
{
	uint64_t count = 0, passed = 0;
	size_t bucket = 0;

	for (size_t b = 0; b < BUCKETS; b++)
		count += sum->latency[b];
	for (; bucket < BUCKETS - 1; bucket++) {
		passed += sum->latency[bucket];
		if ((double)passed >= part * (double)count)
			break;
	}
	return time_of(bucket);
}

/* What reading the clock twice takes: part of every latency. */
static uint64_t
clock_cost(void)
{
	struct worker w = {0};

	for (int i = 0; i < 1000; i++) {
		uint64_t begin = nanoseconds();

		count_latency(&w, nanoseconds() - begin);
	}
	return quantile(&w, 0.5);
}

int
main(int argc, char **argv)
{
	acre_pool_options o = options();
	struct worker *workers, sum;
	unsigned owners;
	size_t peak;

	stress_begin(argc, argv,
		"Threads replace and retire regions that others read.", 4,
		true);
	owners = stress.threads / 2;
	pool = acre_pool_create(&o);
	workers = start(owners);
	peak = watch(&o);
	join(workers);
	finish(workers, owners, &o);
	sum = workers[0];
	for (unsigned i = 0; i < owners; i++)
		free(workers[i].entries);
	free(workers);
	printf("retire takes %" PRIu64 " ns at the median, %" PRIu64
	       " ns at p99.9, %" PRIu64 " ns at most (the clock: %" PRIu64
	       " ns); limbo %.1f MiB at most\n",
		quantile(&sum, 0.5), quantile(&sum, 0.999), sum.longest,
		clock_cost(), (double)peak / MEBIBYTE);
	return stress_end("%" PRIu64 " retired, %" PRIu64 " refused, %" PRIu64
			  " reads, %" PRIu64 " barriers",
		sum.retired, sum.refused, sum.reads, sum.barriers);
}
