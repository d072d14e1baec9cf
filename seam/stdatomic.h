/* SPDX-License-Identifier: MIT */
/*
 * stdatomic.h - stands in for the compiler's; see seam.h. It has what
 * lib/atomic.h uses, so that what it has not is an error and not a hole.
 *
 * Little-endian only: a narrow value is in the low bytes of a word.
 */
#ifndef ACRE_SEAM_STDATOMIC_H
#define ACRE_SEAM_STDATOMIC_H

#include <string.h>

#include "seam/seam.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "see above");

typedef enum memory_order {
	memory_order_relaxed,
	memory_order_consume,
	memory_order_acquire,
	memory_order_release,
	memory_order_acq_rel,
	memory_order_seq_cst
} memory_order;

#define SEAM_HERE                                                 \
	__extension__({                                           \
		static const struct seam_site seam_site_ = {      \
			__FILE__, __func__, __LINE__};            \
		&seam_site_;                                      \
	})

/* The type of what p points to, without _Atomic. */
#define SEAM_VALUE(p) __typeof__((void)0, *(p))

/* The bytes of v, a variable. */
#define SEAM_BITS(v)                                              \
	__extension__({                                           \
		uint64_t seam_bits_ = 0;                          \
		memcpy(&seam_bits_, &(v), sizeof(v));             \
		seam_bits_;                                       \
	})

#define atomic_load_explicit(p, order)                            \
	__extension__({                                           \
		SEAM_VALUE(p) seam_loaded_;                       \
		uint64_t seam_load_ = seam_load(SEAM_HERE, (p),   \
			sizeof(seam_loaded_), (order));           \
		memcpy(&seam_loaded_, &seam_load_,                \
			sizeof(seam_loaded_));                    \
		seam_loaded_;                                     \
	})

#define atomic_store_explicit(p, v, order)                        \
	__extension__({                                           \
		SEAM_VALUE(p) seam_stored_ = (SEAM_VALUE(p))(v);  \
		seam_store(SEAM_HERE, (p), sizeof(seam_stored_),  \
			SEAM_BITS(seam_stored_), (order));        \
	})

#define atomic_init(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)

#define SEAM_RMW(p, what, v, order)                               \
	__extension__({                                           \
		SEAM_VALUE(p) seam_operand_ = (SEAM_VALUE(p))(v); \
		uint64_t seam_rmw_ = seam_rmw(SEAM_HERE, (p),     \
			sizeof(seam_operand_), (what),            \
			SEAM_BITS(seam_operand_), (order));       \
		memcpy(&seam_operand_, &seam_rmw_,                \
			sizeof(seam_operand_));                   \
		seam_operand_;                                    \
	})

#define atomic_exchange_explicit(p, v, order) \
	SEAM_RMW((p), SEAM_EXCHANGE, (v), (order))
#define atomic_fetch_add_explicit(p, v, order) \
	SEAM_RMW((p), SEAM_ADD, (v), (order))
#define atomic_fetch_sub_explicit(p, v, order) \
	SEAM_RMW((p), SEAM_SUB, (v), (order))
#define atomic_fetch_and_explicit(p, v, order) \
	SEAM_RMW((p), SEAM_AND, (v), (order))
#define atomic_fetch_or_explicit(p, v, order) \
	SEAM_RMW((p), SEAM_OR, (v), (order))

#define SEAM_CAS(p, expected, v, success, failure, weak)          \
	__extension__({                                           \
		SEAM_VALUE(p) *seam_expected_ = (expected);       \
		SEAM_VALUE(p) seam_new_ = (SEAM_VALUE(p))(v);     \
		uint64_t seam_seen_ = SEAM_BITS(*seam_expected_); \
		bool seam_swapped_ = seam_cas(SEAM_HERE, (p),     \
			sizeof(seam_new_), &seam_seen_,           \
			SEAM_BITS(seam_new_), (success),          \
			(failure), (weak));                       \
		if (!seam_swapped_)                               \
			memcpy(seam_expected_, &seam_seen_,       \
				sizeof(seam_new_));               \
		seam_swapped_;                                    \
	})

#define atomic_compare_exchange_weak_explicit(p, e, v, success, failure) \
	SEAM_CAS((p), (e), (v), (success), (failure), true)
#define atomic_compare_exchange_strong_explicit(p, e, v, success, failure) \
	SEAM_CAS((p), (e), (v), (success), (failure), false)
/* For the compiler only; what stands behind it is a membarrier. */
#define atomic_signal_fence(order) ((void)(order))
#define atomic_thread_fence(order) seam_fence(SEAM_HERE, (order))

#endif
