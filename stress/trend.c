/* SPDX-License-Identifier: MIT */
/*
 * trend.c - medians of windows, and how far they are apart.
 */
#include "stress/trend.h"

#include <stdio.h>
#include <stdlib.h>

#include "stress/common.h"

#define MEBIBYTE 1048576.0

void
trend_begin(struct trend *trend, size_t most)
{
	*trend = (struct trend){
		.samples = stress_malloc(most * sizeof(*trend->samples)),
		.room = most,
	};
}

void
trend_add(struct trend *trend, size_t sample)
{
	if (trend->count < trend->room)
		trend->samples[trend->count++] = sample;
}

static int
compare(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sorts samples; returns their median, and between which two values half of
 * them are. */
static size_t
median(size_t *samples, size_t count, size_t *distance)
{
	qsort(samples, count, sizeof(*samples), compare);
	*distance = samples[count * 3 / 4] - samples[count / 4];
	return samples[count / 2];
}

bool
trend_goes_up(const struct trend *trend)
{
	size_t window = trend->count / (TREND_WINDOWS + 1);
	size_t medians[TREND_WINDOWS], distance, widest = 0, allowed;
	bool up;

	if (!window)
		return false;
	printf("medians of a fifth of the run each:");
	for (size_t i = 0; i < TREND_WINDOWS; i++) {
		medians[i] = median(trend->samples + (i + 1) * window, window,
			&distance);
		widest = distance > widest ? distance : widest;
		printf(" %.1f", (double)medians[i] / MEBIBYTE);
	}
	allowed = widest > TREND_FLOOR ? widest : TREND_FLOOR;
	up = medians[TREND_WINDOWS - 1] > medians[0] + allowed;
	printf(" MiB, %.1f allowed: %s\n", (double)allowed / MEBIBYTE,
		up ? "memory goes up" : "memory is flat");
	return up;
}

void
trend_end(struct trend *trend)
{
	free(trend->samples);
}
