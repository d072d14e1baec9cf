/* SPDX-License-Identifier: MIT */
/*
 * fault_scenarios.h - sequences that together make every call of the API.
 */
#ifndef ACRE_TESTS_FAULT_SCENARIOS_H
#define ACRE_TESTS_FAULT_SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

enum { SCENARIOS = 21 };

extern const struct scenario {
	const char *name;
	void (*play)(void);
	size_t least;  /* calls that can fail, or it does not test much */
	bool first;    /* of the process, and so in one of its own each time */
	bool leaves;   /* the default pool behind */
} scenarios[SCENARIOS];

#endif
