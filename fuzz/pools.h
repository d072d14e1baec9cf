/* SPDX-License-Identifier: MIT */
/*
 * pools.h - the pools that regions are opened in, and what they must say.
 */
#ifndef ACRE_FUZZ_POOLS_H
#define ACRE_FUZZ_POOLS_H

#include "fuzz/model.h"
#include "tests/source.h"

#define KIB ((size_t)1024)
#define PAGE (4 * KIB)

enum { KINDS = 7 };

extern const struct kind {
	acre_pool_options options;
	bool resizes; /* the source can reallocate */
} kinds[KINDS];

extern struct kept {
	acre_pool *pool; /* NULL: not yet */
	size_t kind;
	struct test_source source;
	bool limbo;      /* the helper may be at work: it is not at rest */
} kept[POOLS];

void pools_make(unsigned i, size_t kind);

/* The statistics, against what the model's regions hold. */
void pools_check(void);

/* May retired regions not have ended yet? */
bool pools_in_limbo(void);

/* When no region is left, nor in limbo: all of the source is back. */
void pools_destroy(void);

#endif
