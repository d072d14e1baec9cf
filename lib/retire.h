/* SPDX-License-Identifier: MIT */
/*
 * retire.h - what other rooms need of retired regions.
 */
#ifndef ACRE_LIB_RETIRE_H
#define ACRE_LIB_RETIRE_H

#include <stdbool.h>

#include "acre/acre.h"

/* Let the helper look for retired regions; before the first is retired. */
void retire_init(void);

/* Wait for all that was retired before. Not inside a read-side section, not on
 * the helper. Returns 0. */
int retire_wait(acre_pool *pool);

/* Around a fork. */
void retire_before_fork(void);
void retire_after_fork(bool in_child);

#endif
