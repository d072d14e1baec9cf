/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the time that waits and decays are counted in.
 */
#ifndef ACRE_LIB_CLOCK_H
#define ACRE_LIB_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds of CLOCK_MONOTONIC. Threads: any. */
static inline int64_t
clock_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

#endif
