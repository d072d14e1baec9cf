/* SPDX-License-Identifier: MIT */
/*
 * orders.h - orders in lib/ that are stronger than the scenarios need.
 */
#ifndef ACRE_EXPLORE_ORDERS_H
#define ACRE_EXPLORE_ORDERS_H

/* No scenario goes wrong when this is weaker; why it is as it is. */
struct stronger {
	const char *function;
	const char *role; /* as printed */
	const char *from;
	const char *to;
	const char *why;
};

/* The program's, ended by one without a function. */
extern const struct stronger stronger[];

#endif
