/* SPDX-License-Identifier: MIT */
/*
 * filled.c - pools, regions and threads of scenarios.
 */
#include "schedule/filled.h"

#include <string.h>
#include <unistd.h>

acre_pool *pool;
size_t page;
size_t object_size;

/* ---- regions ---- */

void
open_filled(struct filled *filled, acre_pool *in, unsigned char mark)
{
	filled->region = acre_region_open(in);
	if (!filled->region)
		schedule_fail("no memory");
	filled->mark = mark;
	filled->count = 1 + (unsigned)scheduler_chance(OBJECTS_MOST);
	for (unsigned i = 0; i < filled->count; i++) {
		filled->objects[i] = acre_alloc(filled->region, object_size);
		if (!filled->objects[i])
			schedule_fail("no memory");
		memset(filled->objects[i], mark, object_size);
	}
}

void
look_at(const struct filled *filled)
{
	for (unsigned i = 0; i < filled->count; i++)
		for (size_t k = 0; k < object_size; k += 64)
			if (filled->objects[i][k] != filled->mark)
				schedule_fail("an object of %u's has %u",
					filled->mark, filled->objects[i][k]);
}

void
close_filled(struct filled *filled)
{
	look_at(filled);
	acre_region_close(filled->region);
	filled->region = NULL;
}

/* ---- around a scenario ---- */

void
begin_with(const acre_pool_options *options)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	object_size = page / 2 + page / 8;
	pool = acre_pool_create(options);
	if (!pool)
		schedule_fail("no pool");
}

void
begin(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	begin_with(&(acre_pool_options){
		.chunk_size = 16 * size,
		.cache_bytes = 16 * size,
		.limbo_bytes = 4 * size,
	});
}

void
start(pthread_t *thread, void *(*body)(void *), uintptr_t argument)
{
	if (pthread_create(thread, NULL, body, (void *)argument))
		schedule_fail("no thread");
}

void
check_balance(acre_pool *in)
{
	acre_stats s;

	acre_pool_stats(in, &s);
	if (s.region_bytes || s.limbo_bytes)
		schedule_fail("%zu bytes in regions and %zu in limbo at the "
			      "end",
			s.region_bytes, s.limbo_bytes);
	if (s.regions_open)
		schedule_fail("%zu regions are open at the end",
			s.regions_open);
}

/* Every page that the pool has can be had, once: so none is lost, and none is
 * in two places. */
void
check_pages(acre_pool *in)
{
	acre_region *regions[512];
	acre_stats before, after;
	size_t pages, opened = 0;

	acre_pool_stats(in, &before);
	pages = (before.chunk_bytes - before.slack_bytes) / page;
	while (opened < pages && opened < 512) {
		regions[opened] = acre_region_open_with(in,
			&((acre_region_options){.max_bytes = page}));
		for (size_t i = 0; i < opened; i++)
			if (regions[i] == regions[opened])
				schedule_fail("a page is there twice");
		opened++;
	}
	acre_pool_stats(in, &after);
	if (after.chunk_bytes != before.chunk_bytes)
		schedule_fail("pages are lost: %zu were there", pages);
	while (opened)
		acre_region_close(regions[--opened]);
}

void
end(void)
{
	acre_pool_barrier(pool);
	check_balance(pool);
	check_pages(pool);
	if (acre_pool_destroy(pool))
		schedule_fail("the pool does not end");
}

void *
churn(void *argument)
{
	struct filled held[REGIONS] = {{0}};

	for (int i = 0; i < 10; i++) {
		struct filled *filled = &held[scheduler_chance(REGIONS)];

		if (filled->region)
			close_filled(filled);
		else
			open_filled(filled, pool,
				(unsigned char)(uintptr_t)argument);
		if (!scheduler_chance(4))
			acre_thread_flush(pool);
	}
	for (int i = 0; i < REGIONS; i++)
		if (held[i].region)
			close_filled(&held[i]);
	return NULL;
}

static bool
never(const void *unused)
{
	(void)unused;
	return false;
}

void
nap(uint64_t microseconds)
{
	scheduler_wait(never, NULL, microseconds);
}
