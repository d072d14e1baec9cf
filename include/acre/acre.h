/* SPDX-License-Identifier: MIT */
/*
 * acre.h - memory regions for multithreaded servers. This is the manual.
 *
 *	acre_pool *pool = acre_pool_create(NULL);
 *	...
 *	acre_region *r = acre_region_open(pool);      a request arrives
 *	struct reply *reply = acre_new(r, struct reply);
 *	reply->text = acre_asprintf(r, "hello %s", name);
 *	...
 *	acre_region_close(r);                         everything goes at once
 *
 * A region belongs to one owner, the thread that opened it: only the owner
 * allocates from it. Pages come from a cache that only the thread touches,
 * behind it from a pool that all threads share. See doc/design.md.
 *
 * Errors:   calls that return a pointer return NULL and set errno; calls
 *           that act return 0 or an errno value. A call that fails has
 *           changed nothing.
 * Units:    every size is in bytes unless its comment says otherwise.
 * Signals:  no call may be made from a signal handler.
 */
#ifndef ACRE_ACRE_H
#define ACRE_ACRE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <acre/allocator.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

#if defined(__GNUC__)
#define ACRE_LIKELY(x) __builtin_expect(!!(x), 1)
#define ACRE_ATTRIBUTE(x) __attribute__(x)
#else
#define ACRE_LIKELY(x) (x)
#define ACRE_ATTRIBUTE(x)
#endif

/* What every allocation is aligned to, in bytes. */
#define ACRE_ALIGN 16

typedef struct acre_pool acre_pool;
typedef struct acre_region acre_region;

struct rcu_flavor_struct; /* liburcu's; <urcu/flavor.h> */

/* ---- pools ---------------------------------------------------------- */

/*
 * acre_pool_options: zero in a field means its default, so start from
 * `acre_pool_options o = {0}` and set what matters.
 */
typedef struct acre_pool_options {
	/* Where chunks come from. Default: acre_malloc_allocator. Copied. */
	const acre_allocator *source;
	/* What a region borrows at a time: a power of two, no less than the
	 * OS page. Default: the OS page. */
	size_t page_size;
	/* What the pool asks the source for: a multiple of page_size.
	 * Default: 256 pages, or what of that fits into max_bytes. */
	size_t chunk_size;
	/* The most bytes of chunks the pool ever holds: no less than a
	 * chunk. Default: no limit. */
	size_t max_bytes;
	/* The most bytes of idle pages that one thread keeps; rounded down
	 * to two batches of a power of two pages, at least one page each.
	 * Default: 128 pages, but no more than 1 MiB. */
	size_t cache_bytes;
	/* Reserved for retired regions, for giving memory back and for
	 * flags: must be zero. */
	size_t limbo_bytes;
	size_t keep_bytes;
	unsigned decay_ms;
	unsigned flags;
	/* The RCU flavour that the application's readers use.
	 * Default: urcu-bp. */
	const struct rcu_flavor_struct *rcu;
	/* Called when max_bytes stands in the way of size more bytes, with
	 * no lock held; non-zero: try again. Default: none. */
	int (*on_limit)(acre_pool *pool, size_t size, void *userdata);
	void *userdata;
	/* For reports; not copied, must outlive the pool. Default: "". */
	const char *name;
} acre_pool_options;

/*
 * acre_pool_create: make a pool; options may be NULL for all defaults.
 *
 * Takes no chunk yet: the first is taken when a region needs a page.
 *
 * Returns NULL and sets errno: EINVAL (acre_pool_explain says which option),
 * ENOMEM.
 * Threads:  any.
 */
#define acre_pool_create(options) \
	acre_pool_create_sized((options), sizeof(acre_pool_options))
acre_pool *acre_pool_create_sized(const acre_pool_options *options,
				  size_t options_size);

/*
 * acre_pool_explain: say in one sentence what is wrong with options.
 *
 * Returns NULL when they are good, else a string that lives for ever.
 * Threads:  any.
 */
#define acre_pool_explain(options) \
	acre_pool_explain_sized((options), sizeof(acre_pool_options))
const char *acre_pool_explain_sized(const acre_pool_options *options,
				    size_t options_size);

/*
 * acre_pool_destroy: give every chunk back and end the pool; NULL is fine.
 *
 * Returns EBUSY (a region is open; nothing has changed), EDEADLK (inside an
 * RCU read-side section, or on acre's own helper thread).
 * Threads:  any one, while no other thread is inside a call on this pool.
 *           Threads that used it may live on or exit at any time.
 * Progress: may wait for a grace period when it is the process's last pool.
 */
int acre_pool_destroy(acre_pool *pool);

/*
 * acre_pool_default: the process's own pool with default options, made at
 * first use and never destroyed (acre_pool_destroy returns EBUSY for it).
 *
 * Returns NULL and sets errno: ENOMEM.
 * Threads:  any.
 */
acre_pool *acre_pool_default(void);

/*
 * acre_stats: where a pool's memory is and what happened so far.
 *
 * Each field is read without stopping anyone. At rest (no call on the pool
 * under way) this holds exactly:
 *
 *   chunk_bytes == region_bytes + cache_bytes + free_bytes + limbo_bytes
 *                  + uncarved_bytes + slack_bytes
 *   regions_open == regions_opened - regions_closed - regions_retired
 */
typedef struct acre_stats {
	/* Bytes now. */
	size_t chunk_bytes;    /* taken from the source and not given back */
	size_t region_bytes;   /* pages that open regions hold */
	size_t cache_bytes;    /* idle pages in threads' caches */
	size_t free_bytes;     /* idle pages in the pool's free lists */
	size_t limbo_bytes;    /* pages of retired regions, not yet back */
	size_t uncarved_bytes; /* of chunks, never handed out */
	size_t slack_bytes;    /* of chunks, lost to alignment */
	/* Numbers now. */
	size_t chunks;
	size_t caches;              /* threads that have a cache */
	size_t regions_open;        /* regions */
	size_t descriptors;         /* nodes made for the free lists */
	size_t overflow_batches;    /* batches that wait without a node */
	/* Since creation. */
	uint64_t regions_opened;
	uint64_t regions_closed;
	uint64_t regions_retired;
	uint64_t pages_taken;       /* pages and blocks that regions took */
	uint64_t cache_misses;      /* of these, by a visit to the pool */
	uint64_t cache_flushes;     /* batches that went back to the pool */
	uint64_t overflow_pushes;   /* batches pushed without a node */
	uint64_t source_calls;      /* chunks asked of the source */
	uint64_t grace_periods;     /* of the process, not of this pool */
} acre_stats;

/*
 * acre_pool_stats: fill *stats.
 *
 * Threads:  any. Counts are exact at rest; under way each is a value that
 *           the counter had during the call.
 * Progress: takes a lock that only thread exit, first use of a pool by a
 *           thread, destroy and other calls of this take.
 */
void acre_pool_stats(acre_pool *pool, acre_stats *stats);

/* ---- regions -------------------------------------------------------- */

/*
 * What the inlined acre_alloc needs: the region's free bytes are
 * [top, limit), both aligned to ACRE_ALIGN. All else is the library's.
 */
struct acre_region {
	uintptr_t top;
	uintptr_t limit;
};

/*
 * acre_region_open: open an empty region; the calling thread owns it.
 *
 * Returns NULL and sets errno: ENOMEM (the pool's max_bytes, or the source
 * has no more).
 * Threads:  any; the region is then the caller's.
 * Progress: wait-free from the thread's cache, lock-free from the pool's
 *           free lists; asks the source when both are empty.
 */
acre_region *acre_region_open(acre_pool *pool);

/*
 * acre_region_close: end a region and every object in it; NULL is fine.
 * Constant time, however many pages it has.
 *
 * Threads:  the owner, or a thread that received the region with
 *           synchronization (a queue, a lock, pthread_join).
 * Progress: as acre_region_open; never asks the source, never fails.
 * Ordering: none; whoever else reads objects in it must be done before.
 */
void acre_region_close(acre_region *region);

/* ---- allocation ----------------------------------------------------- */

/* The part of acre_alloc that is not inlined; call acre_alloc. */
void *acre_alloc_slow(acre_region *region, size_t size)
	ACRE_ATTRIBUTE((alloc_size(2), cold));

/*
 * acre_alloc: take size bytes, aligned to ACRE_ALIGN, from region. Size 0
 * gives a pointer that is not NULL. Contents are indeterminate.
 *
 * Returns NULL and sets errno: ENOMEM (as acre_region_open; or size is more
 * than a page less its header of 64 bytes). Earlier objects stay valid.
 * Threads:  the region's owner only.
 * Progress: wait-free within a page; else as acre_region_open.
 * Ordering: none; publishing the pointer is the caller's work.
 */
#if defined(__GNUC__)
__attribute__((alloc_size(2), assume_aligned(16), malloc))
#endif
static inline void *
acre_alloc(acre_region *region, size_t size)
{
	uintptr_t top = region->top;
	/* Wraps to no more than top for a size of 0 or near SIZE_MAX. */
	uintptr_t next = (top + size + (ACRE_ALIGN - 1))
		& ~(uintptr_t)(ACRE_ALIGN - 1);

	if (ACRE_LIKELY(next <= region->limit) && ACRE_LIKELY(next > top)) {
		region->top = next;
		return (void *)top;
	}
	return acre_alloc_slow(region, size);
}

/*
 * acre_zalloc: as acre_alloc, and the bytes are zero.
 */
void *acre_zalloc(acre_region *region, size_t size)
	ACRE_ATTRIBUTE((alloc_size(2), malloc));

/*
 * acre_zalloc_array: as acre_zalloc for n elements of size bytes; ENOMEM
 * when n * size is more than a size_t can say.
 */
void *acre_zalloc_array(acre_region *region, size_t n, size_t size)
	ACRE_ATTRIBUTE((alloc_size(2, 3), malloc));

/*
 * acre_new, acre_new_array: one or n zeroed objects of a type; errors as
 * acre_zalloc_array.
 */
#define acre_new(region, type) ((type *)acre_zalloc((region), sizeof(type)))
#define acre_new_array(region, type, n) \
	((type *)acre_zalloc_array((region), (n), sizeof(type)))

/*
 * acre_strdup: copy a string into region; errors as acre_alloc.
 */
char *acre_strdup(acre_region *region, const char *string)
	ACRE_ATTRIBUTE((malloc));

/*
 * acre_asprintf, acre_vasprintf: print into region.
 *
 * Returns NULL and sets errno: as acre_alloc; EILSEQ, EOVERFLOW and others
 * from vsnprintf.
 */
char *acre_asprintf(acre_region *region, const char *format, ...)
	ACRE_ATTRIBUTE((format(printf, 2, 3), malloc));
char *acre_vasprintf(acre_region *region, const char *format, va_list ap)
	ACRE_ATTRIBUTE((format(printf, 2, 0), malloc));

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
