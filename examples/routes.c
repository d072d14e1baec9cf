/* SPDX-License-Identifier: MIT */
/*
 * routes.c - a table that is replaced while others read it.
 *
 *	router     build in a region, publish, retire the old table
 *	workers    rcu_read_lock, look addresses up, rcu_read_unlock
 *
 * A table and all it points to live in one region. Workers take no lock and
 * count no references: a retired region stays as it is until each worker that
 * may have found it has left its read-side section; then acre's helper thread
 * runs its cleanups, and its memory comes back, all at once.
 *
 * The workers' RCU flavour is urcu-bp, a pool's default. For another, name it
 * in the pool's options (.rcu = &urcu_memb_flavor) and register each worker:
 * one that is not registered reads freed memory.
 */
#include <acre/acre.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu-bp.h>

#define TABLES 2000
#define ROUTES 1000
#define WORKERS 3
#define LOOKUPS 20 /* in each section */

struct route {
	uint32_t network; /* its first 16 bits */
	uint32_t hop;
};

struct table {
	acre_region *region; /* where all of it is */
	unsigned version;
	uint32_t checksum;
	size_t count;
	struct route *routes; /* in the order of their networks */
};

/* ---- tables ---- */

/* Where the nth route of a version leads: anything that can be checked. */
static uint32_t
hop_of(unsigned version, size_t n)
{
	return (version * 2654435761u) ^ ((uint32_t)n * 40503u);
}

static uint32_t
checksum_of(const struct table *table)
{
	uint32_t sum = table->version;

	for (size_t i = 0; i < table->count; i++)
		sum = sum * 31 + (table->routes[i].network ^
			table->routes[i].hop);
	return sum;
}

/* On acre's helper thread, when nobody reads the table any more. */
static void
note_end(void *ended)
{
	++*(unsigned *)ended;
}

static struct table *
build(acre_pool *pool, unsigned version, unsigned *ended)
{
	acre_autoclose acre_region *r = acre_region_open(pool);
	struct table *table = r ? acre_new(r, struct table) : NULL;

	if (!table || acre_cleanup_add(r, note_end, ended) ||
		!(table->routes = acre_new_array(r, struct route, ROUTES)))
		return NULL;
	table->version = version;
	for (; table->count < ROUTES; table->count++)
		table->routes[table->count] = (struct route){
			.network = (uint32_t)table->count << 16,
			.hop = hop_of(version, table->count),
		};
	table->checksum = checksum_of(table);
	table->region = r;
	r = NULL; /* Whoever replaces the table retires it. */
	return table;
}

static int
compare(const void *network, const void *route)
{
	uint32_t a = *(const uint32_t *)network;
	uint32_t b = ((const struct route *)route)->network;

	return (a > b) - (a < b);
}

/* NULL: there is no route. */
static const struct route *
look_up(const struct table *table, uint32_t address)
{
	uint32_t network = address & 0xffff0000;

	return bsearch(&network, table->routes, table->count,
		sizeof(*table->routes), compare);
}

/* ---- publishing ---- */

/* The table to use now. A worker may read it in a read-side section only. */
static struct table *current;

/* The version that is about to be current. Here it is for ThreadSanitizer: it
 * cannot see into liburcu, so it must see by this that a table was built
 * before it is read. */
static _Atomic(unsigned) newest;

/* Returns the table before, which workers may still be reading. */
static struct table *
publish(struct table *table)
{
	if (table)
		atomic_store(&newest, table->version);
	return rcu_xchg_pointer(&current, table);
}

static const struct table *
find(void)
{
	const struct table *table = rcu_dereference(current);

	return atomic_load(&newest) ? table : NULL;
}

/* ---- who uses it ---- */

struct worker {
	pthread_t thread;
	_Atomic(unsigned) seen; /* the version that it has read last */
	unsigned wrong;
};

static unsigned
count_wrong(const struct table *table, uint32_t address)
{
	unsigned wrong = checksum_of(table) != table->checksum;

	for (int i = 0; i < LOOKUPS; i++) {
		const struct route *route = look_up(table, address);
		size_t n = address >> 16;

		wrong += n < ROUTES ?
			!route || route->hop != hop_of(table->version, n) :
			!!route;
		address = address * 1664525u + 1013904223u;
	}
	return wrong;
}

static void *
work(void *argument)
{
	struct worker *worker = argument;
	unsigned version;

	do {
		const struct table *table;

		rcu_read_lock();
		table = find();
		version = table->version;
		worker->wrong += count_wrong(table, worker->seen * 97u);
		acre_reader_leaves(NULL); /* for ThreadSanitizer */
		rcu_read_unlock();
		if (worker->seen == version)
			sched_yield(); /* nothing new: let the router run */
		worker->seen = version;
	} while (version < TABLES);
	return NULL;
}

/* Until some worker has read this version. */
static void
await_reader(const struct worker *workers, unsigned version)
{
	for (;;) {
		for (int i = 0; i < WORKERS; i++)
			if (workers[i].seen >= version)
				return;
		sched_yield();
	}
}

/* Outside of a section: when limbo is full, retire waits for the workers. */
static int
replace_by(struct table *table)
{
	struct table *old = publish(table);

	return acre_region_retire(old ? old->region : NULL);
}

int
main(void)
{
	acre_pool *pool = acre_pool_create(
		&(acre_pool_options){.limbo_bytes = 4 << 20});
	struct worker workers[WORKERS] = {0};
	unsigned ended = 0, wrong = 0;
	acre_stats stats;

	for (unsigned version = 1; pool && version <= TABLES; version++) {
		struct table *table = build(pool, version, &ended);

		if (!table || replace_by(table))
			return EXIT_FAILURE;
		for (int i = 0; version == 1 && i < WORKERS; i++)
			if (pthread_create(&workers[i].thread, NULL, work,
				    &workers[i]))
				return EXIT_FAILURE;
		await_reader(workers, version);
	}
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		wrong += workers[i].wrong;
	}
	/* After the barrier all that was retired has ended. */
	if (replace_by(NULL) || acre_pool_barrier(pool))
		return EXIT_FAILURE;
	acre_pool_stats(pool, &stats);
	printf("tables: %u, ended: %u\n", (unsigned)stats.regions_retired,
		ended);
	printf("wrong answers: %u\n", wrong);
	printf("bytes in limbo: %zu\n", stats.limbo_bytes);
	/* A table is 12 KiB, a chunk 1 MiB: without reuse it would be 23. */
	printf("memory stayed flat: %s\n", stats.chunks < 10 ? "yes" : "no");
	return acre_pool_destroy(pool);
}
