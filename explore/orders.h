/* SPDX-License-Identifier: MIT */
/*
 * orders.h - orders in lib/ that are stronger than the scenarios need.
 */
#ifndef ACRE_EXPLORE_ORDERS_H
#define ACRE_EXPLORE_ORDERS_H

#include <stdbool.h>

/* No scenario goes wrong when this is weaker; why it is as it is. */
struct stronger {
	const char *function;
	unsigned number; /* among those of its role there, by line; from 1 */
	const char *role; /* as printed */
	const char *from;
	const char *to;
	const char *why;
};

/* The program's, ended by one without a function. */
extern const struct stronger stronger[];

/* Its source: the orders in there are its own. */
extern const char scenario_file[];

/* What its scenarios need: that a grace period waits for sections, the barrier
 * that one begins with, and membarrier. */
extern const struct needs {
	bool grace, barrier, membarrier;
} needs;

#endif
