/* SPDX-License-Identifier: MIT */
/*
 * mark.c - remembers a place in a region, and returns to it.
 *
 * What a region was at a mark: where the cursor stood, where each chain of
 * blocks ended, and the serial number up to which everything else is older.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/region.h"

struct mark {
	uintptr_t top, base, end;
	size_t passed, packed;
	uint64_t serial;
	struct {
		struct block *last, *boundary;
		size_t count;
	} chains[GROW_ORDERS]; /* their first stays as it is */
};

union mark_view {
	struct mark inside;
	acre_mark outside;
};

_Static_assert(sizeof(struct mark) <= sizeof(acre_mark),
	"acre_mark is too small");

acre_mark
acre_region_mark(acre_region *cursor)
{
	struct more *more = region_more(region_of(cursor));
	uint64_t serial = ++more->serial;
	union mark_view mark = {
		.inside = {
			.top = cursor->top,
			.base = more->base,
			.end = more->end,
			.passed = more->passed,
			.packed = more->packed,
			.serial = serial,
		},
	};

	for (unsigned i = 0; i < GROW_ORDERS; i++) {
		const struct chain *chain = &more->bundle.chains[i];

		mark.inside.chains[i].last = chain->last;
		mark.inside.chains[i].boundary = chain->boundary;
		mark.inside.chains[i].count = chain->count;
	}
	return mark.outside;
}

/* Each mark has a number of its own, and a rewind takes back all that came
 * since: a mark that has more than the region has ended. */
static void
check(const struct more *more, const struct mark *mark)
{
	bool ended = mark->serial > more->serial;

	for (unsigned i = 0; i < GROW_ORDERS; i++)
		ended |= mark->chains[i].count > more->bundle.chains[i].count;
	if (!ended)
		return;
	fprintf(stderr, "acre: region rewound to a mark that has ended\n");
	abort();
}

void
acre_region_rewind(acre_region *cursor, acre_mark outside)
{
	struct region *region = region_of(cursor);
	struct mark mark = ((union mark_view){.outside = outside}).inside;
	struct more *more = region_more(region);
	size_t held;

	check(more, &mark);
	region_finish(region, mark.serial);
	held = more->held;
	large_release(region, mark.serial);
	for (unsigned i = 0; i < pool_of(region)->grow_orders; i++)
		grow_release_to(region, i, &(struct chain){
			.first = more->bundle.chains[i].first,
			.last = mark.chains[i].last,
			.boundary = mark.chains[i].boundary,
			.count = mark.chains[i].count,
		});
	grow_discharge(region, held - more->held);
	grow_resume(region);
	more->base = mark.base;
	more->end = mark.end;
	more->serial = mark.serial;
	more->passed = mark.passed;
	more->packed = mark.packed;
	more->last = NULL;
	cursor->top = mark.top;
	cursor->limit = mark.end & ~(uintptr_t)(ACRE_ALIGN - 1);
}
