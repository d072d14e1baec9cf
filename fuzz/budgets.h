/* SPDX-License-Identifier: MIT */
/*
 * budgets.h - limits that regions of both pools share, and what they should
 * be charged: the bytes that regions hold which have them, or one below.
 */
#ifndef ACRE_FUZZ_BUDGETS_H
#define ACRE_FUZZ_BUDGETS_H

#include "fuzz/model.h"

enum { BUDGETS = 4 };

struct budget {
	acre_budget *budget;   /* NULL: none */
	struct budget *parent;
	size_t limit;
};

void budgets_begin(void);

/* The nth, which is made if it is not there: of a limit, below the one before
 * it if that is there and it is to be nested. */
struct budget *budgets_get(size_t n, bool nested, size_t limit);

/* The bytes that it and all above it have left; NULL has no limit. */
size_t budget_room(const struct budget *budget);

/* Destroy the nth: refused where a region or another budget uses it. limbo:
 * retired regions may use it still. */
void budgets_destroy(size_t n, bool limbo);

void budgets_check(bool limbo);

/* When no region is left. */
void budgets_end(void);

#endif
