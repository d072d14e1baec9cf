/* SPDX-License-Identifier: MIT */
/*
 * sizes.h - arithmetic of sizes.
 */
#ifndef ACRE_LIB_SIZES_H
#define ACRE_LIB_SIZES_H

#include <stddef.h>

static inline size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

#endif
