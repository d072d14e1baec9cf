/* SPDX-License-Identifier: MIT */
/*
 * cores.c - the cores that this process may use.
 */
#include "bench/cores.h"

#include <pthread.h>
#include <sched.h>

unsigned
cores_count(void)
{
	cpu_set_t cores;

	if (sched_getaffinity(0, sizeof cores, &cores) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&cores);
}

void
cores_take(unsigned i)
{
	cpu_set_t cores, one;

	if (sched_getaffinity(0, sizeof cores, &cores) != 0)
		return;
	for (size_t core = 0; core < CPU_SETSIZE; core++) {
		if (!CPU_ISSET(core, &cores) || i-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(core, &one);
		pthread_setaffinity_np(pthread_self(), sizeof one, &one);
		return;
	}
}
