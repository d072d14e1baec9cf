/* SPDX-License-Identifier: MIT */
/*
 * array_peer.h - what array_bench.c measures: ways to have an array of ints.
 *
 * push:   n ints, 0 to n - 1, are pushed one by one to an empty array, which
 *         is then given up. Returns the last one.
 * call:   the same, but each push is a call of a function that has the array's
 *         address.
 * chain:  of numbers[0..n) those that are odd; of these 3 x + 1; their sum.
 *         Both steps make an array, and all is given up in the end.
 *
 * A peer decides by itself how, and with which memory; push and call know
 * nothing of n in advance.
 */
#ifndef BENCH_ARRAY_PEER_H
#define BENCH_ARRAY_PEER_H

#include <stddef.h>

#define ARRAY_CALL __attribute__((noinline))

#ifdef __cplusplus
extern "C" {
#endif

struct array_peer {
	const char *name;
	int (*push)(size_t n);
	int (*call)(size_t n);
	long (*chain)(const int *numbers, size_t n);
};

extern const struct array_peer array_peer_acre;
extern const struct array_peer array_peer_acre_malloc;
extern const struct array_peer array_peer_malloc;
extern const struct array_peer array_peer_malloc_tuned;
extern const struct array_peer array_peer_pmr;
extern const struct array_peer array_peer_pmr_monotonic;

/* The compiler knows nothing of n. */
static inline size_t
array_unknown(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

/* Unknown code reads what p leads to. */
static inline void
array_show(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif
