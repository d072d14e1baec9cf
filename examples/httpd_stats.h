/* SPDX-License-Identifier: MIT */
/*
 * httpd_stats.h - what happened so far, for people and for scripts.
 *
 * The server counts its requests itself, so that both allocators can be
 * checked in the same way; the rest is asked of the pool and the kernel.
 */
#ifndef HTTPD_STATS_H
#define HTTPD_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <acre/acre.h>

#include "httpd_answer.h"
#include "httpd_tenants.h"

/*
 * At rest: begun == ended == answered + refused + aborted. Any thread,
 * relaxed: nothing is published through them.
 */
struct counts {
	_Atomic uint64_t begun;    /* requests that got their memory */
	_Atomic uint64_t ended;    /* of these, gave it back */
	_Atomic uint64_t answered; /* sent to the end: 200 */
	_Atomic uint64_t refused;  /* sent to the end: 4xx, 5xx */
	_Atomic uint64_t aborted;  /* the client left, or the server stopped */
	_Atomic uint64_t turned_away; /* 503, as there was no memory to begin */
};

/*
 * counts_begin, counts_end: a request got, gave back its memory. sent: the
 * reply went out whole.
 */
void counts_begin(struct counts *counts);
void counts_end(struct counts *counts, enum status status, bool sent);
void counts_turn_away(struct counts *counts);

/* What the process costs; 0 where the kernel does not say. */
struct usage {
	uint64_t rss_kib;   /* resident memory now */
	uint64_t peak_kib;  /* and at its most */
	uint64_t user_us;   /* processor time in the program, microseconds */
	uint64_t system_us; /* and in the kernel for it */
};

struct usage usage_now(void);

/*
 * stats_answer: everything as one flat JSON object. pool and tenants are NULL
 * on malloc.
 *
 * Threads: any.
 */
void stats_answer(struct answer *answer, acre_region *region,
	struct counts *counts, acre_pool *pool, struct tenants *tenants);

/*
 * stats_totals: print the last line, "totals name=value ...". usage is given
 * as it was before the server stopped.
 *
 * Returns whether every request gave its memory back, every region was closed
 * and no tenant is left. Threads: one, when no request runs any more.
 */
bool stats_totals(struct counts *counts, acre_pool *pool,
	struct tenants *tenants, const struct usage *usage);

#endif
