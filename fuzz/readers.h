/* SPDX-License-Identifier: MIT */
/*
 * readers.h - actors in read-side sections, while others retire.
 */
#ifndef ACRE_FUZZ_READERS_H
#define ACRE_FUZZ_READERS_H

#include <stdbool.h>

#include "fuzz/actors.h"

extern bool reader_inside[ACTORS]; /* a section */
bool readers_any(void);

void reader_enters(unsigned actor);

/* What it could see is still there; if it was inside. */
void reader_leaves(unsigned actor);

#endif
