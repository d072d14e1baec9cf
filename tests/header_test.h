/* SPDX-License-Identifier: MIT */
/*
 * header_test.h - uses each call of the public header once; compiled as C99
 * -pedantic and as C++, both with warnings as errors.
 */
#include <acre/acre.h>

#include <stdio.h>
#include <string.h>

struct header_test {
	int number;
};

static int
use_every_call(void)
{
	acre_pool *(*create)(const acre_pool_options *) = acre_pool_create;
	acre_pool_options options;
	acre_region_options within;
	acre_budget *budget;
	acre_stats stats;
	acre_pool *pool;
	acre_region *region;
	int ok;

	memset(&options, 0, sizeof(options));
	options.page_size = 8192;
	if (acre_pool_explain(&options))
		return 0;
	pool = create(&options);
	region = pool ? acre_region_open(pool) : NULL;
	if (!region || !acre_pool_default())
		return 0;
	ok = acre_alloc(region, 10) && acre_zalloc(region, 10) &&
		!acre_new(region, struct header_test)->number &&
		acre_new_array(region, int, 10) &&
		!strcmp(acre_strdup(region, "a"), "a") &&
		!strcmp(acre_asprintf(region, "%d", 1), "1");
	acre_pool_stats(pool, &stats);
	ok = ok && stats.regions_open == 1;
	acre_region_close(region);
	memset(&within, 0, sizeof(within));
	budget = within.budget = acre_budget_create(NULL, 8192);
	region = acre_region_open_with(pool, &within);
	ok = ok && region && acre_budget_used(budget) == 8192;
	acre_region_close(region);
	ok = ok && acre_budget_destroy(budget) == 0;
	return ok && acre_pool_destroy(pool) == 0;
}

int
main(void)
{
	int ok = use_every_call();

	printf("%s\n", ok ? "every call works" : "a call failed");
	return ok ? 0 : 1;
}
