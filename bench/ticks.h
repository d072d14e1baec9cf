/* SPDX-License-Identifier: MIT */
/*
 * ticks.h - the finest clock there is, of any unit; read in a few ns.
 */
#ifndef BENCH_TICKS_H
#define BENCH_TICKS_H

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
static inline uint64_t
ticks_now(void)
{
	return __builtin_ia32_rdtsc();
}
#else
#include <time.h>

static inline uint64_t
ticks_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
#endif

#endif
