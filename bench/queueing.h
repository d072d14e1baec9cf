/* SPDX-License-Identifier: MIT */
/*
 * queueing.h - how many requests a machine gets done whose cores wait for each
 * other at shared cache lines.
 */
#ifndef BENCH_QUEUEING_H
#define BENCH_QUEUEING_H

#include <stddef.h>

/*
 * A closed network: each of the cores works for so long on a request, and
 * needs each line for its demand, one core at a time. Times of one unit.
 *
 * Returns requests per unit of time, of all cores: exact mean values for
 * exponential times (M. Reiser, S. Lavenberg, "Mean-Value Analysis of Closed
 * Multichain Queuing Networks", JACM 27(2), 1980).
 */
double queueing_throughput(
	unsigned cores, double work, const double *demands, size_t lines);

#endif
