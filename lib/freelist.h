/* SPDX-License-Identifier: MIT */
/*
 * freelist.h - the lock-free lists of free batches, and their overflow.
 */
#ifndef ACRE_LIB_FREELIST_H
#define ACRE_LIB_FREELIST_H

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>

#include "lib/atomic.h"
#include "lib/block.h"
#include "lib/descriptor.h"

/* A stack of batches of one order. Any thread; zeroed memory is empty. */
struct freelist {
	alignas(CACHE_LINE) _Atomic(struct descriptor *) head;
};

/*
 * Push batch. The descriptor is from descriptor_get: nobody else holds it,
 * and the grace period after its last pop has elapsed.
 *
 * Threads: any, also one that ends. Progress: lock-free.
 */
void freelist_push(struct freelist *list, struct descriptor *descriptor,
	const struct batch *batch);

/*
 * Pop a batch; returns its descriptor, which goes to descriptor_cool next, or
 * NULL when the list is empty.
 *
 * Threads: any. Progress: lock-free.
 */
struct descriptor *freelist_pop(struct freelist *list);

/*
 * Where batches wait for which there is no descriptor: a list under a mutex,
 * linked through each batch's own first block. It needs no memory, no grace
 * period, and cannot fail. Batches of one order.
 */
struct overflow {
	alignas(CACHE_LINE) _Atomic(size_t) count; /* batches */
	pthread_mutex_t lock;
	struct overflowed *top;
};

void overflow_init(struct overflow *overflow);
void overflow_destroy(struct overflow *overflow);
void overflow_push(struct overflow *overflow, const struct batch *batch);
bool overflow_pop(struct overflow *overflow, struct batch *batch);

/* Around a fork. */
void overflow_before_fork(struct overflow *overflow);
void overflow_after_fork(struct overflow *overflow);

#endif
