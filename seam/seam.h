/* SPDX-License-Identifier: MIT */
/*
 * seam.h - what stands behind acre's doors in a build that looks at its
 * interleavings.
 *
 *   lib/atomic.h --> <stdatomic.h>       here: seam/stdatomic.h
 *   lib/rcu.h    --> <urcu/urcu-bp.h>    here: seam/urcu/urcu-bp.h
 *   lib/         --> pthread_...         here: ld --wrap
 *
 * The library's sources are compiled as they are, with this folder first
 * among those where headers are looked for. So every atomic operation, also
 * one that is new, becomes a call of one of these functions, with the order
 * that lib/atomic.h gave it. The program defines them: explore/ with a model
 * of memory, schedule/ with a scheduler, bench/counted.c with counters.
 *
 * A value is its bytes, at the low addresses of a word.
 */
#ifndef ACRE_SEAM_SEAM_H
#define ACRE_SEAM_SEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* An operation in the source. Each has one, whose address says which. */
struct seam_site {
	const char *file;
	const char *function;
	int line;
};

enum seam_rmw { SEAM_EXCHANGE, SEAM_ADD, SEAM_SUB, SEAM_AND, SEAM_OR };

/* Orders are memory_order_*, see seam/stdatomic.h. */
uint64_t seam_load(const struct seam_site *site, const volatile void *p,
	size_t size, int order);
void seam_store(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t value, int order);
/* Returns the value before. */
uint64_t seam_rmw(const struct seam_site *site, volatile void *p, size_t size,
	enum seam_rmw what, uint64_t operand, int order);
bool seam_cas(const struct seam_site *site, volatile void *p, size_t size,
	uint64_t *expected, uint64_t value, int success, int failure,
	bool weak);
void seam_fence(const struct seam_site *site, int order);

/* A value where it stands, for who plays operations as they come. */
static inline uint64_t
seam_get(const volatile void *p, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)p, size);
	return value;
}

static inline void
seam_set(volatile void *p, size_t size, uint64_t value)
{
	memcpy((void *)p, &value, size);
}

/* What a read-modify-write makes of a value of size bytes. */
static inline uint64_t
seam_compute(enum seam_rmw what, uint64_t old, uint64_t operand, size_t size)
{
	uint64_t value = what == SEAM_ADD ? old + operand :
		what == SEAM_SUB ? old - operand :
		what == SEAM_AND ? old & operand :
		what == SEAM_OR	 ? old | operand :
				   operand;

	return size < 8 ? value & (((uint64_t)1 << 8 * size) - 1) : value;
}

#endif
