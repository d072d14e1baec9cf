/* SPDX-License-Identifier: MIT */
/*
 * sizes.c - tables of sizes, made before anything is timed.
 */
#include "bench/sizes.h"

#include <math.h>
#include <stdlib.h>

#define SEED 0x9e3779b97f4a7c15u

/* A number in [0, 1). */
static double
fraction(uint64_t *state)
{
	return (double)(sizes_random(state) >> 11) * 0x1p-53;
}

static uint16_t
draw(enum sizes_shape shape, uint16_t low, uint16_t high, uint64_t *state)
{
	double f = fraction(state);

	if (shape == SIZES_LOG_UNIFORM)
		return (uint16_t)(low * pow((double)high / low, f));
	return (uint16_t)(low + f * (high - low + 1));
}

const uint16_t *
sizes_make(enum sizes_shape shape, uint16_t low, uint16_t high)
{
	uint16_t *sizes = (uint16_t *)malloc(SIZES_COUNT * sizeof *sizes);
	uint64_t state = SEED;

	if (sizes == NULL)
		return NULL;
	for (size_t i = 0; i < SIZES_COUNT; i++)
		sizes[i] = draw(shape, low, high, &state);
	return sizes;
}
