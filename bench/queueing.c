/* SPDX-License-Identifier: MIT */
/*
 * queueing.c - mean value analysis, by the number of cores.
 */
#include "bench/queueing.h"

#include <stdio.h>
#include <stdlib.h>

double
queueing_throughput(
	unsigned cores, double work, const double *demands, size_t lines)
{
	double *waiting = calloc(lines + 1, sizeof *waiting);
	double throughput = 0;

	if (waiting == NULL) {
		perror("queueing");
		exit(1);
	}
	for (unsigned n = 1; n <= cores; n++) {
		double time = work;

		/* Who comes finds what n - 1 would leave there. */
		for (size_t i = 0; i < lines; i++)
			time += demands[i] * (1 + waiting[i]);
		throughput = n / time;
		for (size_t i = 0; i < lines; i++)
			waiting[i] =
				throughput * demands[i] * (1 + waiting[i]);
	}
	free(waiting);
	return throughput;
}
