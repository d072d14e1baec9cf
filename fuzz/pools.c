/* SPDX-License-Identifier: MIT */
/*
 * pools.c - the pools that regions are opened in, and what they must say.
 */
#include "fuzz/pools.h"

#include <errno.h>

const struct kind kinds[KINDS] = {
	{{.chunk_size = 64 * PAGE}, true},
	{{.chunk_size = 16 * PAGE, .cache_bytes = 2 * PAGE,
		.limbo_bytes = 8 * PAGE, .flags = ACRE_NONBLOCKING}, false},
	{{.chunk_size = PAGE, .limbo_bytes = 4 * PAGE}, true},
	{{.chunk_size = 32 * PAGE, .max_bytes = 96 * PAGE,
		.cache_bytes = 16 * PAGE}, false},
	{{.page_size = 16 * KIB, .chunk_size = 256 * KIB}, true},
	{{.source = &acre_mmap_allocator, .chunk_size = 32 * PAGE}, true},
	{{.chunk_size = 8 * PAGE, .cache_bytes = 2 * PAGE, .decay_ms = 8},
		true},
};

struct kept kept[POOLS];

void
pools_make(unsigned i, size_t kind)
{
	struct kept *k = &kept[i];
	acre_pool_options options = kinds[kind].options;

	*k = (struct kept){.kind = kind, .source = {.alignment = PAGE}};
	test_source_init(&k->source);
	if (kinds[kind].resizes)
		k->source.allocator.reallocate = test_source_reallocate;
	if (!options.source)
		options.source = &k->source.allocator;
	k->pool = acre_pool_create(&options);
	REQUIRE(k->pool);
}

static void
check_pool(const struct kept *k)
{
	size_t most = kinds[k->kind].options.max_bytes;
	size_t held = 0, open = 0;
	acre_stats s;

	acre_pool_stats(k->pool, &s);
	REQUIRE(!most || s.chunk_bytes + s.large_bytes <= most);
	for (int i = 0; i < REGIONS; i++)
		if (models[i].region && &kept[models[i].pool] == k) {
			held += acre_region_held(models[i].region);
			open++;
		}
	if (k->limbo || kinds[k->kind].options.decay_ms)
		return;
	REQUIRE(s.regions_open == open);
	REQUIRE(s.region_bytes + s.large_bytes == held);
	REQUIRE(s.limbo_bytes == 0);
	REQUIRE(s.chunk_bytes == s.region_bytes + s.cache_bytes +
		s.free_bytes + s.uncarved_bytes + s.slack_bytes);
}

void
pools_check(void)
{
	for (unsigned i = 0; i < POOLS; i++)
		if (kept[i].pool)
			check_pool(&kept[i]);
}

bool
pools_in_limbo(void)
{
	return kept[0].limbo || kept[1].limbo;
}

void
pools_destroy(void)
{
	for (unsigned i = 0; i < POOLS; i++) {
		int error;

		if (!kept[i].pool)
			continue;
		error = acre_pool_destroy(kept[i].pool);
		REQUIRE(error != EDEADLK);
		REQUIRE(!error);
		REQUIRE(kept[i].source.live == 0);
		kept[i].pool = NULL;
	}
}
