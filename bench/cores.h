/* SPDX-License-Identifier: MIT */
/*
 * cores.h - the cores that this process may use.
 */
#ifndef BENCH_CORES_H
#define BENCH_CORES_H

unsigned cores_count(void);

/* Keep the calling thread on the i-th of them; tried, not promised. */
void cores_take(unsigned i);

#endif
