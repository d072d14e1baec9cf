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
	/* Where chunks come from. It must not use the pool that it serves.
	 * Default: acre_malloc_allocator. Copied. */
	const acre_allocator *source;
	/* What a region borrows at a time: a power of two, no less than the
	 * OS page. Default: the OS page. */
	size_t page_size;
	/* What the pool asks the source for: a multiple of page_size.
	 * Default: 256 pages, or what of that fits into max_bytes. */
	size_t chunk_size;
	/* The most bytes that the pool ever takes from the source, chunks and
	 * single large objects: no less than a chunk. Default: no limit. */
	size_t max_bytes;
	/* The most bytes of idle blocks that one thread keeps, all sizes
	 * together; two pages at least. An eighth of it, in a power of two
	 * pages and no more than 64, is a batch: what a thread and the pool
	 * move in one step; of blocks of 64 KiB and more, up to 1 MiB is.
	 * Default: 512 pages, but no more than 2 MiB. */
	size_t cache_bytes;
	/* The most bytes of retired regions that wait for readers; one region
	 * alone may be larger. Default: 64 MiB. */
	size_t limbo_bytes;
	/* Idle memory (see acre_pool_trim) beyond keep_bytes goes back on
	 * acre's helper thread, in eight steps over decay_ms milliseconds.
	 * Default: keep nothing; never decay. */
	size_t keep_bytes;
	unsigned decay_ms;
	/* ACRE_NONBLOCKING: acre_region_retire never waits. */
	unsigned flags;
	/* The RCU flavour that the application's readers use
	 * (&urcu_memb_flavor...). Default: urcu-bp. */
	const struct rcu_flavor_struct *rcu;
	/* Called when max_bytes stands in the way of size more bytes, or the
	 * source has no more, and nothing idle would do; with no lock held.
	 * Non-zero: try again, and call it again if that is in vain. It may
	 * open and close regions. Default: none. */
	int (*on_limit)(acre_pool *pool, size_t size, void *userdata);
	void *userdata;
	/* For reports; not copied, must outlive the pool. Default: "". */
	const char *name;
} acre_pool_options;

#define ACRE_NONBLOCKING 1u

/*
 * acre_pool_create: make a pool; options may be NULL for all defaults.
 *
 * Takes no chunk yet: the first is taken when a region needs a page.
 *
 * Returns NULL and sets errno: EINVAL (acre_pool_explain says which option),
 * ENOMEM.
 * Threads:  any.
 */
acre_pool *acre_pool_create_sized(const acre_pool_options *options,
				  size_t options_size);
static inline acre_pool *
acre_pool_create(const acre_pool_options *options)
{
	return acre_pool_create_sized(options, sizeof(*options));
}

/*
 * acre_pool_explain: say in one sentence what is wrong with options.
 *
 * Returns NULL when they are good, else a string that lives for ever.
 * Threads:  any.
 */
const char *acre_pool_explain_sized(const acre_pool_options *options,
				    size_t options_size);
static inline const char *
acre_pool_explain(const acre_pool_options *options)
{
	return acre_pool_explain_sized(options, sizeof(*options));
}

/*
 * acre_pool_destroy: wait for retired regions, give every chunk back and end
 * the pool; NULL is fine.
 *
 * Returns EBUSY (a region is open; nothing has changed), EDEADLK (inside a
 * read-side section of any pool's RCU flavour, with qsbr: while online; or on
 * acre's own helper thread).
 * Threads:  any one, while no other thread is inside a call on this pool.
 *           Threads that used it may live on or exit at any time.
 * Progress: waits as acre_pool_barrier; and for a grace period when it is the
 *           process's last pool.
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
 * acre_pool_barrier: return when every region that was retired before, on any
 * thread, has ended: its cleanups have run and its memory is back.
 *
 * Returns EDEADLK (inside a read-side section of any pool's RCU flavour, with
 * qsbr: while online; or on acre's own helper thread) or ENOTSUP (in a fork's child).
 * Threads: any. Progress: waits for readers, and for cleanups.
 */
int acre_pool_barrier(acre_pool *pool);

/*
 * acre_pool_trim: give idle memory back to the source, at most most bytes,
 * until keep bytes of it are left.
 *
 * Idle is what no region holds: free pages, what threads keep (idle threads'
 * caches are emptied first, where the kernel has membarrier), and what was
 * never handed out. Wholly free chunks go back to the source, no part of
 * one; and where the source is acre_malloc_allocator or acre_mmap_allocator,
 * free pages of chunks that are in use are given to the OS (madvise), for
 * which chunk_bytes does not change. What was found stays sorted: the next
 * trim goes on from there.
 *
 * Returns the bytes given back by this call: 0 when there were none to give.
 * Threads:  any, several at once.
 * Progress: looks at 16 * most bytes of idle memory at most (at 16 MiB for a
 *           smaller most); a lock is held for one batch at a time, so no other
 *           thread stops. Calls the source with no lock held.
 */
size_t acre_pool_trim(acre_pool *pool, size_t keep, size_t most);

/*
 * acre_thread_flush: give the blocks that the calling thread keeps idle for
 * pool back to it.
 *
 * Threads: any. Progress: lock-free, but waits for a trim that is just taking
 *          this thread's blocks.
 */
void acre_thread_flush(acre_pool *pool);

/*
 * acre_fork_leaves_bp: the application calls urcu_bp_before_fork,
 * urcu_bp_after_fork_parent and urcu_bp_after_fork_child itself. Unless told
 * so, acre's own fork handlers do, from the first pool on.
 *
 * A fork's child may use its pools at once: open, allocate, close, and destroy
 * (regions that other threads had open still count: EBUSY). With the bp
 * flavour also retire and barrier; they return ENOTSUP in the child of a
 * process that had pools, with other flavours and after a fork inside a
 * read-side section. What was retired before the fork ends in both processes,
 * its cleanups too. What other threads kept idle at the fork stays theirs
 * until the pool is destroyed.
 *
 * Threads: any, before the first fork.
 */
void acre_fork_leaves_bp(void);

/*
 * acre_stats: where a pool's memory is and what happened so far.
 *
 * Each field is read without stopping anyone. At rest (no call on the pool
 * under way, and no decay) this holds exactly:
 *
 *   chunk_bytes == region_bytes + cache_bytes + free_bytes + limbo_bytes
 *                  + uncarved_bytes + slack_bytes
 *   regions_open == regions_opened - regions_closed - regions_retired
 */
typedef struct acre_stats {
	/* Bytes now. */
	size_t chunk_bytes;    /* chunks, taken and not given back */
	size_t large_bytes;    /* objects of regions, straight from the source */
	size_t region_bytes;   /* blocks of chunks that open regions hold */
	size_t cache_bytes;    /* idle pages in threads' caches */
	size_t free_bytes;     /* idle pages in the pool's free lists */
	size_t limbo_bytes;    /* pages of retired regions, not yet back */
	size_t uncarved_bytes; /* of chunks, never handed out */
	size_t slack_bytes;    /* of chunks, lost to alignment */
	/* Numbers now. */
	size_t chunks;
	size_t caches;              /* threads that have a cache */
	size_t regions_open;        /* regions; in limbo, only children */
	size_t descriptors;         /* nodes made for the free lists */
	size_t overflow_batches;    /* batches that wait without a node */
	/* Since creation. */
	uint64_t regions_opened;
	uint64_t regions_closed;
	uint64_t regions_retired;
	uint64_t pages_taken;      /* pages and blocks that regions took */
	uint64_t cache_misses;      /* of these, by a visit to the pool */
	uint64_t cache_flushes;     /* batches that went back to the pool */
	uint64_t overflow_pushes;   /* batches pushed without a node */
	uint64_t source_calls;      /* chunks and large objects asked for */
	uint64_t grace_periods;     /* of the process, not of this pool */
} acre_stats;

/*
 * acre_pool_stats: fill *stats.
 *
 * Threads:  any. Exact at rest. While threads go on, each count is one that
 *           was true during the call, and each difference of counts
 *           (regions_open, free_bytes, region_bytes) may be off by what
 *           they did meanwhile, but is never negative.
 * Progress: takes a lock that only thread exit, first use of a pool by a
 *           thread, destroy and other calls of this take.
 */
void acre_pool_stats(acre_pool *pool, acre_stats *stats);

/* ---- budgets -------------------------------------------------------- */

/*
 * acre_budget_create: make a limit in bytes that regions share, of any pools
 * and threads; below a parent, or NULL. What is charged to it is charged to
 * all its ancestors too, and none of them is ever over its limit.
 *
 * A region gets its budget when it is opened, and is charged what it holds
 * (acre_region_held): blocks and large objects, not the caller's buffer. A
 * charge ends when the memory is back: by close, reset or rewind, by free or
 * realloc of a large object; for a retired region, when its limbo ends. What
 * has no room fails with ENOMEM; a block larger than needed is not insisted
 * on.
 *
 * limit SIZE_MAX: it has none of its own, it counts, and its ancestors hold.
 *
 * Returns NULL and sets errno: EINVAL (limit is 0), ENOMEM.
 * Threads:  any, while nobody destroys parent.
 */
typedef struct acre_budget acre_budget;
acre_budget *acre_budget_create(acre_budget *parent, size_t limit);

/*
 * acre_budget_destroy: end a budget that no region, open or in limbo, and no
 * budget below uses; NULL is fine.
 *
 * Returns EBUSY: one does.
 * Threads:  any, while no other thread passes it to a call.
 */
int acre_budget_destroy(acre_budget *budget);

/*
 * acre_budget_used: the bytes that are charged, budgets below included; never
 * more than the limit. While threads go on, also what they are just trying.
 *
 * Threads:  any. Progress: wait-free.
 */
size_t acre_budget_used(const acre_budget *budget);

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
 * acre_region_options: zero in a field means none.
 */
typedef struct acre_region_options {
	/* This region closes with its parent, before it. Both have the same
	 * owner; the pools may differ. */
	acre_region *parent;
	/* Charged with what the region holds, for as long as it does. Its
	 * children are not, but to budgets of their own. */
	acre_budget *budget;
	/* The most bytes that the region may hold (acre_region_held). */
	size_t max_bytes;
	/* The caller's own memory, used before any page; it must outlive the
	 * region. Less than 576 bytes is not worth it and is left alone. */
	void *buffer;
	size_t buffer_size;
	/* For reports; not copied, must outlive the region. */
	const char *name;
} acre_region_options;

/*
 * acre_region_open: open an empty region; the calling thread owns it.
 *
 * Its first block is a page, or more where the thread's latest regions in
 * this pool have needed more (32 KiB at most).
 *
 * Returns NULL and sets errno: EINVAL (pool is NULL), ENOMEM (the pool's
 * max_bytes, or the source has no more).
 * Threads:  any; the region is then the caller's.
 * Progress: wait-free from the thread's cache, lock-free from the pool's
 *           free lists; asks the source when both are empty. A lock where a
 *           trim has left pages sorted, or takes this thread's blocks. Before
 *           ENOMEM: linear in what is free, and where regions are in limbo,
 *           10 ms of waiting for readers (not with ACRE_NONBLOCKING, nor
 *           inside a read-side section).
 */
acre_region *acre_region_open(acre_pool *pool);

/*
 * acre_region_open_with: the same with options, which may be NULL.
 *
 * Returns NULL and sets errno: EINVAL (also for a buffer without a size
 * or a size without a buffer, for a max_bytes of less than a page and for a
 * parent that is detached), ENOMEM (also: the budget, or one above it, has no
 * room for a page).
 */
acre_region *acre_region_open_with(acre_pool *pool,
	const acre_region_options *options);

/*
 * acre_region_close: end a region and every object in it; NULL is fine.
 *
 * Children are closed first, the newest first; then cleanups run, last in
 * first out, while the objects are still there; then all memory goes back,
 * in constant time however many pages it is. Large objects, cleanups and
 * children are walked.
 *
 * Threads:  the owner, or a thread that received the region with
 *           synchronization (a queue, a lock, pthread_join).
 * Progress: as acre_region_open; never asks the source, never fails.
 * Ordering: none; whoever else reads objects in it must be done before.
 */
void acre_region_close(acre_region *region);

/*
 * acre_region_retire: close a region that RCU readers may still be reading.
 *
 * Objects stay as they are until every read-side section (of the pool's RCU
 * flavour) that is under way now has ended. Unpublish them first
 * (rcu_assign_pointer), then retire. After that, on acre's helper thread:
 * children close, cleanups run, which must not block, and the memory goes
 * back. NULL is fine.
 *
 * A reader of flavour memb, mb or qsbr on a thread that is not registered
 * with liburcu is not waited for, and reads freed memory.
 *
 * Returns EAGAIN (limbo_bytes are waiting, and this caller may not wait:
 * inside a read-side section, on the helper, or ACRE_NONBLOCKING), ENOMEM (no
 * cache for this thread) or ENOTSUP (in a fork's child, see
 * acre_fork_leaves_bp); the region is then still open.
 * Threads:  as acre_region_close.
 * Progress: constant time for any number of pages, children are walked; when
 *           limbo is full it waits for readers.
 */
int acre_region_retire(acre_region *region);

/*
 * acre_reader_leaves: for ThreadSanitizer, which cannot see into liburcu:
 * call it before rcu_read_unlock where retired regions are read. rcu as in
 * the pool's options. Does nothing in other builds.
 */
void acre_reader_leaves(const struct rcu_flavor_struct *rcu);

/*
 * acre_region_reset: make a region as empty as after it was opened. As close,
 * but the region stays open and keeps its first block (or buffer).
 *
 * Threads: the owner. Progress: as acre_region_close.
 */
void acre_region_reset(acre_region *region);

/*
 * acre_region_mark, acre_region_rewind: remember a place in a region, and
 * return to it: what was allocated, registered and opened in the region since
 * is gone, as by a close. Marks nest: a rewind ends all later marks, a reset
 * ends all. The same mark may be returned to again and again.
 *
 * A rewind to a mark that has ended prints a line and aborts where that can
 * be seen.
 *
 * Threads:  the owner.
 * Progress: mark wait-free; rewind as close, and linear in the blocks that
 *           it gives back.
 */
typedef struct acre_mark {
	uint64_t internal[32];
} acre_mark;
acre_mark acre_region_mark(acre_region *region);
void acre_region_rewind(acre_region *region, acre_mark mark);

/*
 * acre_region_detach, acre_region_adopt: hand a region and its children over
 * to another thread. The owner detaches; from then on nobody may allocate
 * (acre_alloc returns NULL with EPERM) until the next owner has adopted it.
 * To close it only, no adopt is needed.
 *
 * Returns EINVAL: it has a parent; EALREADY: it is detached (adopt: it is
 * not).
 * Threads:  detach the owner, adopt the next.
 * Ordering: none; hand the pointer over with synchronization.
 */
int acre_region_detach(acre_region *region);
int acre_region_adopt(acre_region *region);

/*
 * acre_region_used: bytes handed out and still there, each object rounded up
 * as it was; what acre_free could not give back counts.
 * acre_region_held: bytes of pages, blocks and large objects; children and
 * the caller's buffer not counted.
 * acre_region_failed: whether an allocation in it has returned NULL since it
 * was opened or reset.
 *
 * Threads: the owner.
 */
size_t acre_region_used(const acre_region *region);
size_t acre_region_held(const acre_region *region);
int acre_region_failed(const acre_region *region);

/*
 * ACRE_SCOPE(r, pool) { ... }: a block with a region of its own, closed on
 * every way out: its end, break, continue, return, goto, a C++ exception.
 * When the region cannot be opened, the block is not entered and errno says
 * why; to tell that from a block that ran, let the block set a flag.
 *
 * acre_autoclose acre_region *r = acre_region_open(pool): closes r where its
 * name ends. To hand r on instead, set it to NULL.
 */
#ifdef __GNUC__
static inline void
acre_autoclose_region(acre_region **region)
{
	acre_region_close(*region);
}
#define acre_autoclose __attribute__((cleanup(acre_autoclose_region)))
#define ACRE_SCOPE(region, pool)                                       \
	for (acre_region *region acre_autoclose = acre_region_open(pool), \
		*region##_once = region;                               \
		region##_once; region##_once = NULL)
#endif

/* ---- allocation ----------------------------------------------------- */

/* The part of acre_alloc that is not inlined; call acre_alloc. */
void *acre_alloc_slow(acre_region *region, size_t size)
	ACRE_ATTRIBUTE((alloc_size(2)));

/*
 * acre_alloc: take size bytes, aligned to ACRE_ALIGN, from region. Size 0
 * gives a pointer that is not NULL. Contents are indeterminate.
 *
 * An object of more than 8 KiB (with pages of 4 KiB; a quarter of the largest
 * block that regions grow by) that does not fit where the region stands is a
 * large object: it has a block of 2^k pages of its own, or beyond half a
 * chunk, memory straight from the source, and can be given back alone.
 *
 * Returns NULL and sets errno: ENOMEM (as acre_region_open; the region's
 * max_bytes or budget; more than can be), EPERM (detached). Earlier objects
 * stay valid.
 * Threads:  the region's owner only.
 * Progress: wait-free within a block; else as acre_region_open.
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
 * acre_alloc_aligned: as acre_alloc, aligned to align, any power of two;
 * EINVAL when it is none.
 */
void *acre_alloc_aligned(acre_region *region, size_t size, size_t align)
	ACRE_ATTRIBUTE((alloc_size(2), malloc));

/*
 * acre_realloc: make the object at p, of old_size bytes, new_size bytes
 * large; contents up to the smaller of both are kept. p may be NULL.
 *
 * At the region's tip (the object allocated last) the cursor is moved and
 * nothing is copied; a large object grows in its block, or its old memory
 * goes back at once; elsewhere an object that grows is copied, and one that
 * shrinks stays. After a mark, an object from before it may be moved behind
 * it, and then a rewind ends it.
 *
 * Returns NULL and sets errno, with the object as it was: as acre_alloc;
 * EINVAL (old_size is ACRE_SIZE_UNKNOWN and the object is not large).
 * Threads, progress: as acre_alloc, and linear in the large objects.
 */
void *acre_realloc(acre_region *region, void *p, size_t old_size,
	size_t new_size) ACRE_ATTRIBUTE((alloc_size(4)));

/*
 * acre_free: give the object at p, of size bytes, back before its region
 * ends: the region's tip, by moving the cursor, and a large object, at once.
 * Any other stays where it is. p may be NULL; size may be ACRE_SIZE_UNKNOWN
 * for a large object.
 *
 * Threads, progress: as acre_realloc.
 */
void acre_free(acre_region *region, void *p, size_t size);

/*
 * acre_new, acre_new_array: one or n zeroed objects of a type; errors as
 * acre_zalloc_array.
 */
#define acre_new(region, type) ((type *)acre_zalloc((region), sizeof(type)))
#define acre_new_array(region, type, n) \
	((type *)acre_zalloc_array((region), (n), sizeof(type)))

/*
 * acre_memdup: copy size bytes into region; errors as acre_alloc.
 */
void *acre_memdup(acre_region *region, const void *p, size_t size)
	ACRE_ATTRIBUTE((alloc_size(3), malloc));

/*
 * acre_strdup, acre_strndup: copy a string, or at most n bytes of one, into
 * region. Strings are packed without padding, not aligned: do not give them
 * to acre_realloc or acre_free. Errors as acre_alloc.
 */
char *acre_strdup(acre_region *region, const char *string)
	ACRE_ATTRIBUTE((malloc));
char *acre_strndup(acre_region *region, const char *string, size_t n)
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

/* ---- cleanups ------------------------------------------------------- */

/* A cleanup in the caller's storage; the fields are the library's. */
typedef struct acre_cleanup {
	struct acre_cleanup *next;
	void (*fn)(void *arg);
	void *arg;
	uint64_t order;
} acre_cleanup;

/*
 * acre_cleanup_add: have fn(arg) called when region is closed or reset, or
 * rewound to before now. Cleanups run last in first out, each once, while the
 * region's objects are still there. One may allocate in the region, register
 * others (they run next) and open children; it must not close, reset or
 * rewind the region.
 *
 * Returns EINVAL (fn is NULL) or ENOMEM, and then fn is not called.
 * Threads: the owner; fn runs on the thread that closes.
 */
int acre_cleanup_add(acre_region *region, void (*fn)(void *arg), void *arg);

/*
 * acre_cleanup_link: the same with the caller's storage, which must live
 * until the cleanup has run or is cancelled. Cannot fail.
 */
void acre_cleanup_link(acre_region *region, acre_cleanup *storage,
	void (*fn)(void *arg), void *arg);

/*
 * acre_cleanup_cancel: take the latest cleanup of this fn and arg back,
 * without calling it. Returns ENOENT: there is none. Linear in the cleanups.
 */
int acre_cleanup_cancel(acre_region *region, void (*fn)(void *arg),
	void *arg);

/* Ready-made: close((int)(intptr_t)fd), fclose(file), free(p). */
void acre_cleanup_close(void *fd);
void acre_cleanup_fclose(void *file);
void acre_cleanup_free(void *p);

/* ---- regions as allocators ------------------------------------------ */

/*
 * acre_region_allocator: region seen as an allocator, for libraries that take
 * one. Its free gives the object allocated last and large objects back, and
 * does nothing to others; its reallocate needs the old size (EINVAL and NULL
 * for ACRE_SIZE_UNKNOWN, but for large objects).
 *
 * acre_region_sized_allocator: the same for libraries that pass no old size:
 * each object keeps its own, in 16 bytes before it.
 *
 * Threads: the region's owner only.
 */
acre_allocator acre_region_allocator(acre_region *region);
acre_allocator acre_region_sized_allocator(acre_region *region);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
