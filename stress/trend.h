/* SPDX-License-Identifier: MIT */
/*
 * trend.h - whether a size that is looked at again and again goes up.
 *
 *   samples   | the first fifth |  window  |  window  |  window  |  window  |
 *               does not count     median                           median
 *
 * It goes up when the last window's median is above the first one's by more
 * than both a floor and twice the widest quarters' distance within a window.
 * Noise widens that distance as it moves medians; of what goes up steadily by
 * d in a window, the distance is d / 2 and the medians are 3 d apart.
 *
 * One thread.
 */
#ifndef ACRE_STRESS_TREND_H
#define ACRE_STRESS_TREND_H

#include <stdbool.h>
#include <stddef.h>

#define TREND_WINDOWS 4
#define TREND_FLOOR ((size_t)1 << 20) /* bytes */

struct trend {
	size_t *samples;
	size_t count;
	size_t room;
};

/* For so many samples at most; further ones are dropped. */
void trend_begin(struct trend *trend, size_t most);
void trend_add(struct trend *trend, size_t sample);

/* Print the medians, and whether they go up. Sorts each window. */
bool trend_goes_up(const struct trend *trend);

void trend_end(struct trend *trend);

#endif
