/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - the only file that knows <stdatomic.h>.
 *
 * The memory order is in the name, so that a reader sees it at the call.
 * There is no bare fence: ThreadSanitizer does not model one, and a
 * read-modify-write says which word it orders.
 */
#ifndef ACRE_LIB_ATOMIC_H
#define ACRE_LIB_ATOMIC_H

#include <stdatomic.h>
#include <stdint.h>

#ifdef __has_feature
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

/* Words that different threads write stand this many bytes apart. */
#define CACHE_LINE 64

#define load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define load_seq_cst(p) atomic_load_explicit((p), memory_order_seq_cst)

#define store_relaxed(p, v) \
	atomic_store_explicit((p), (v), memory_order_relaxed)
#define store_release(p, v) \
	atomic_store_explicit((p), (v), memory_order_release)
#define store_seq_cst(p, v) \
	atomic_store_explicit((p), (v), memory_order_seq_cst)

/* Each returns the value before. */
#define add_relaxed(p, n) \
	atomic_fetch_add_explicit((p), (n), memory_order_relaxed)
#define sub_relaxed(p, n) \
	atomic_fetch_sub_explicit((p), (n), memory_order_relaxed)
#define add_release(p, n) \
	atomic_fetch_add_explicit((p), (n), memory_order_release)
#define sub_release(p, n) \
	atomic_fetch_sub_explicit((p), (n), memory_order_release)
#define add_seq_cst(p, n) \
	atomic_fetch_add_explicit((p), (n), memory_order_seq_cst)
#define exchange_seq_cst(p, v) \
	atomic_exchange_explicit((p), (v), memory_order_seq_cst)
#define exchange_acquire(p, v) \
	atomic_exchange_explicit((p), (v), memory_order_acquire)
#define exchange_relaxed(p, v) \
	atomic_exchange_explicit((p), (v), memory_order_relaxed)

/* Weak compare-and-swap: may fail for no reason, so it stands in a loop.
 * *expected is updated on failure. The order on failure is in the name
 * where it is not relaxed. */
#define cas_relaxed(p, expected, v)                                 \
	atomic_compare_exchange_weak_explicit((p), (expected), (v), \
		memory_order_relaxed, memory_order_relaxed)
#define cas_acquire(p, expected, v)                                 \
	atomic_compare_exchange_weak_explicit((p), (expected), (v), \
		memory_order_acquire, memory_order_relaxed)
#define cas_release(p, expected, v)                                 \
	atomic_compare_exchange_weak_explicit((p), (expected), (v), \
		memory_order_release, memory_order_relaxed)
#define cas_seq_cst_or_acquire(p, expected, v)                      \
	atomic_compare_exchange_weak_explicit((p), (expected), (v), \
		memory_order_seq_cst, memory_order_acquire)

/* Strong compare-and-swap, for one try. */
#define cas_strong_relaxed(p, expected, v)                            \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), \
		memory_order_relaxed, memory_order_relaxed)
#define cas_strong_acq_rel(p, expected, v)                            \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), \
		memory_order_acq_rel, memory_order_relaxed)
#define cas_strong_seq_cst(p, expected, v)                            \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), \
		memory_order_seq_cst, memory_order_relaxed)

/* The compiler moves nothing across; the processor may, unless the other side
 * calls membarrier_all(). */
#define order_for_membarrier() atomic_signal_fence(memory_order_seq_cst)

/*
 * Words that one thread writes, or who has claimed them, and any may read.
 * x86-64 has one instruction for what a compiler makes several of, since to it
 * each access to an atomic word stands alone.
 *
 * load_own, is_own, count_add: a load; whether the word is v; add n, which is
 * no read-modify-write that others take part in. The loads are relaxed. The
 * add is release, so that who reads the count sees what was counted; pairs
 * with load_acquire in pool_sum().
 */
#if defined(__x86_64__) && defined(__LP64__) &&                   \
	!defined(__SANITIZE_THREAD__) &&                          \
	!HAS_FEATURE(thread_sanitizer) && !defined(ACRE_SEAM_STDATOMIC_H)
#define load_own(p)                                            \
	__extension__({                                        \
		__typeof__((void)0, *(p)) own_;                \
		__asm__("mov %1, %0" : "=r"(own_) : "m"(*(p))); \
		own_;                                          \
	})
#define is_own(p, v)                                                 \
	__extension__({                                              \
		_Static_assert(sizeof(*(p)) == 8, "not of 64 bits"); \
		_Bool own_;                                          \
		__asm__("cmpq %2, %1"                                \
			: "=@cce"(own_)                              \
			: "m"(*(p)),                                 \
			"re"((__typeof__((void)0, *(p)))(v)));       \
		own_;                                                \
	})
static inline void
count_add(_Atomic(uint64_t) *counter, uint64_t n)
{
	__asm__("addq %1, %0"
		: "+m"(*counter)
		: "er"(n)
		: "cc", "memory");
}
#else
#define load_own(p) load_relaxed(p)
#define is_own(p, v) (load_relaxed(p) == (v))
#define count_add(p, n) store_release((p), load_relaxed(p) + (n))
#endif

#endif
