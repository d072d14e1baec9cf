/* SPDX-License-Identifier: MIT */
/*
 * fault_parts.h - what scenarios are made of: calls that are made until they
 * succeed (fault_model.h), and that leave no trace where they fail.
 */
#ifndef ACRE_TESTS_FAULT_PARTS_H
#define ACRE_TESTS_FAULT_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "acre/acre.h"
#include "tests/fault_model.h"

#define PAGE ((size_t)4096)

/* A source that gives what it should not: of the pools that name none. */
extern struct crooked {
	bool used;
	size_t shift;  /* of all it gives: a multiple of 16 */
	atomic_size_t left; /* calls until one gives 8 bytes more; 0: none */
} crooked;

acre_pool *make_pool(acre_pool_options options);
acre_pool *make_small_pool(void);
acre_region *open_in(acre_pool *pool);
acre_region *open_with(acre_pool *pool, acre_region_options options);

/* What an allocation that fails has to leave behind. */
struct before {
	size_t used, held;
};

struct before before(const acre_region *region);

/* p; NULL: it has. */
void *unless_failed(acre_region *region, struct before was, void *p);

#define ALLOCATED(region, call) \
	MUST(unless_failed((region), before(region), (call)))

void *object_in(acre_region *region, size_t size);
void *resize(void *old, size_t old_size, size_t size);
void give_back(void *p);
void fill(acre_region *region, int pages);
void fill_block(acre_region *region);

/* The cleanup that add_cleanup adds. */
void run(void *unused);
void add_cleanup(acre_region *region);

/* Play fn on a thread of its own, to its end. */
void on_thread(void (*fn)(void));

#endif
