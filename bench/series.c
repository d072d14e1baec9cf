/* SPDX-License-Identifier: MIT */
/*
 * series.c - numbers, one for each round; a round may have none.
 */
#include "bench/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
series_add(struct series *series, double value)
{
	if (series->rounds < SERIES_MOST)
		series->values[series->rounds++] = value;
}

/* Rounds without a number stay so: NAN is not a number with any other. */
struct series
series_ratio(double factor, const struct series *a, const struct series *b)
{
	struct series ratio = {.rounds = 0};

	for (size_t i = 0; i < a->rounds && i < b->rounds; i++)
		series_add(&ratio, factor * a->values[i] / b->values[i]);
	return ratio;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Between two numbers, on the line between them. */
static double
at(const double *sorted, size_t n, double share)
{
	double place = share * (double)(n - 1);
	size_t i = (size_t)place;
	double next = i + 1 < n ? sorted[i + 1] : sorted[i];

	return sorted[i] + (place - (double)i) * (next - sorted[i]);
}

struct series_summary
series_sum_up(const struct series *series)
{
	double sorted[SERIES_MOST];
	size_t n = 0;

	for (size_t i = 0; i < series->rounds; i++)
		if (!isnan(series->values[i]))
			sorted[n++] = series->values[i];
	if (n == 0)
		return (struct series_summary){0, NAN, NAN, NAN};
	qsort(sorted, n, sizeof sorted[0], compare);
	return (struct series_summary){n, at(sorted, n, 0.25),
		at(sorted, n, 0.5), at(sorted, n, 0.75)};
}
