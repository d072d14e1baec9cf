/* SPDX-License-Identifier: MIT */
/*
 * no_threads.h - a pthread_create that fails while no_threads is set; for
 * suites linked with -Wl,--wrap=pthread_create.
 */
#ifndef ACRE_TESTS_NO_THREADS_H
#define ACRE_TESTS_NO_THREADS_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "lib/atomic.h"

static _Atomic(bool) no_threads;

int __real_pthread_create(pthread_t *, const pthread_attr_t *,
	void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *,
	void *(*)(void *), void *);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*body)(void *), void *argument)
{
	return load_relaxed(&no_threads) ? EAGAIN :
		__real_pthread_create(thread, attributes, body, argument);
}

#endif
