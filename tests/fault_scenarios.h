/* SPDX-License-Identifier: MIT */
/*
 * fault_scenarios.h - sequences that together make every call of the API.
 */
#ifndef ACRE_TESTS_FAULT_SCENARIOS_H
#define ACRE_TESTS_FAULT_SCENARIOS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define PAGE ((size_t)4096)

enum { SCENARIOS = 21 };

extern const struct scenario {
	const char *name;
	void (*play)(void);
	size_t least;  /* calls that can fail, or it does not test much */
	bool first;    /* of the process, and so in one of its own each time */
	bool leaves;   /* the default pool behind */
} scenarios[SCENARIOS];

/* A source that gives what it should not: of the pools that name none. */
extern struct crooked {
	bool used;
	size_t shift;  /* of all it gives: a multiple of 16 */
	atomic_size_t left; /* calls until one gives 8 bytes more; 0: none */
} crooked;

#endif
