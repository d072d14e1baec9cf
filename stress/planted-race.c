/* SPDX-License-Identifier: MIT */
/*
 * planted-race.c - a race in user code, through acre, for all to see.
 *
 * Two threads write one object of a region without synchronization. Under
 * ThreadSanitizer this must be reported, and the exit code be 66; otherwise
 * the program does nothing and asks to be skipped.
 */
#include <pthread.h>

#include "acre/acre.h"
#include "lib/sanitizer.h"

#define SKIPPED 77

static void *
write_object(void *object)
{
	*(volatile int *)object = 1;
	return NULL;
}

int
main(void)
{
	acre_region *region;
	pthread_t thread;
	int *object;

	if (!__tsan_acquire)
		return SKIPPED;
	region = acre_region_open(acre_pool_default());
	object = region ? acre_new(region, int) : NULL;
	if (!object || pthread_create(&thread, NULL, write_object, object))
		return 1;
	write_object(object);
	pthread_join(thread, NULL);
	acre_region_close(region);
	return 0;
}
