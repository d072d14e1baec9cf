/* SPDX-License-Identifier: MIT */
/*
 * sizes.h - tables of sizes, made before anything is timed.
 *
 * The same for every peer and every run: the seed is fixed. A table is long
 * enough that no branch predictor learns it by heart, and is read from start
 * to end, so that it takes little of the nearest cache.
 */
#ifndef BENCH_SIZES_H
#define BENCH_SIZES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SIZES_COUNT (1u << 18)

enum sizes_shape { SIZES_UNIFORM, SIZES_LOG_UNIFORM };

/*
 * sizes_make: SIZES_COUNT sizes from low up to high; NULL: no memory.
 */
const uint16_t *sizes_make(enum sizes_shape shape, uint16_t low, uint16_t high);

/*
 * sizes_random: the next number of a fixed sequence; *state is not zero.
 */
static inline uint64_t
sizes_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

#ifdef __cplusplus
}
#endif

#endif
