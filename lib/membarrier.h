/* SPDX-License-Identifier: MIT */
/*
 * membarrier.h - the only door to membarrier(2).
 *
 * Who looks at another thread's plain stores pays for the order: each thread of
 * the process executes a full barrier, so that of a store and a later load of
 * its own, with order_for_membarrier() between them, the store is visible or
 * the load comes after the call.
 */
#ifndef ACRE_LIB_MEMBARRIER_H
#define ACRE_LIB_MEMBARRIER_H

#include <stdbool.h>

/* Make the process ready; to be called before the first membarrier_all. */
void membarrier_register(void);

/*
 * Let every thread of the process execute a full memory barrier.
 *
 * Returns false where the kernel cannot (before Linux 4.14, or forbidden).
 * Threads: any, after membarrier_register. Progress: one system call.
 */
bool membarrier_all(void);

#endif
