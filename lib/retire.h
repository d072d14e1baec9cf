/* SPDX-License-Identifier: MIT */
/*
 * retire.h - what other rooms need of retired regions.
 */
#ifndef ACRE_LIB_RETIRE_H
#define ACRE_LIB_RETIRE_H

#include "acre/acre.h"

/* A pool begins and ends: retire_end waits for all that was retired, so not
 * inside a read-side section and not on the helper. */
void retire_begin(acre_pool *pool);
void retire_end(acre_pool *pool);

#endif
