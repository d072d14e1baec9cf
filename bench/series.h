/* SPDX-License-Identifier: MIT */
/*
 * series.h - numbers, one for each round; a round may have none.
 */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include <stddef.h>

#define SERIES_MOST 256

struct series {
	double values[SERIES_MOST]; /* NAN: none */
	size_t rounds;
};

struct series_summary {
	size_t n;		  /* of 0 numbers, the others are NAN */
	double low, median, high; /* the quartiles */
};

void series_add(struct series *series, double value);

/* factor * a / b for each round in which both have a number. */
struct series series_ratio(
	double factor, const struct series *a, const struct series *b);

struct series_summary series_sum_up(const struct series *series);

#endif
