/* SPDX-License-Identifier: MIT */
/*
 * decay.h - idle memory that goes back over time.
 */
#ifndef ACRE_LIB_DECAY_H
#define ACRE_LIB_DECAY_H

#include "lib/pool.h"

/* Let the helper look after decay; before the first pool needs it. */
void decay_init(void);

/* With registry_lock(), which is given up meanwhile: wait until the helper does
 * not hold pool. */
void decay_wait(const acre_pool *pool);

/* In a fork's child, with registry_lock(): there is no helper. */
void decay_after_fork(void);

#endif
