/* SPDX-License-Identifier: MIT */
/*
 * fault.h - every call of acre's that can fail, failing at will; and an exact
 * account of what was not given back.
 *
 *	fault_at(3, FAULT_ONCE);   the third call from now fails
 *	...
 *	if (fault_count()) ...     it did
 *	fault_never();
 *
 * The linker leads the calls of acre's objects, and of the test's, to the
 * functions of fault.c (-Wl,--wrap, see fault.mk); a call counts on whatever
 * thread it is made.
 *
 * liburcu is a shared library: its calls are not led here.
 */
#ifndef ACRE_TESTS_FAULT_H
#define ACRE_TESTS_FAULT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum fault_mode {
	FAULT_ONCE,    /* the nth call fails */
	FAULT_OUTAGE,  /* and all later ones, until fault_never() */
};

extern struct fault {
	atomic_size_t left;     /* calls until one fails; 0: none will */
	atomic_bool outage;     /* all fail now */
	atomic_int mode;
	atomic_size_t count;    /* of those that have failed */
	atomic_size_t live;     /* pieces of malloc's not given back */
	atomic_size_t mapped;   /* bytes not unmapped */
} fault;

/* The nth call from now fails. */
void fault_at(size_t n, enum fault_mode mode);
void fault_never(void);

/* How many have failed since fault_at. */
size_t fault_count(void);

/* Never fails. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*fn)(void *), void *arg);

#endif
