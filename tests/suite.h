/* SPDX-License-Identifier: MIT */
/*
 * suite.h - runs one suite of Check tests, given as a table of claims.
 *
 *	START_TEST(alloc_refuses_bad_alignment) { ... } END_TEST
 *	SUITE("region", alloc_refuses_bad_alignment, ...)
 */
#ifndef ACRE_TESTS_SUITE_H
#define ACRE_TESTS_SUITE_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "acre/acre.h"

static inline int
run_suite(const char *name, const TTest *const tests[], size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define SUITE(name, ...)                                             \
	int main(void)                                               \
	{                                                            \
		const TTest *const tests[] = {__VA_ARGS__};          \
                                                                     \
		return run_suite(name, tests,                        \
			sizeof(tests) / sizeof(tests[0]));           \
	}

/* The same where a sanitizer cannot follow: a fork's child has the malloc of
 * AddressSanitizer locked by threads that it does not have, and threads of
 * its parent that ThreadSanitizer takes for its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED \
	(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

#define SUITE_WITHOUT_SANITIZER(name, ...)                           \
	int main(void)                                               \
	{                                                            \
		const TTest *const tests[] = {__VA_ARGS__};          \
                                                                     \
		if (SANITIZED) {                                     \
			puts(name ": skipped under a sanitizer");    \
			return 77;                                   \
		}                                                    \
		return run_suite(name, tests,                        \
			sizeof(tests) / sizeof(tests[0]));           \
	}

/* A pool of options; the test fails when there is none. */
static inline acre_pool *
pool_with(acre_pool_options options)
{
	acre_pool *pool = acre_pool_create(&options);

	ck_assert_msg(pool != NULL, "no pool: %s",
		acre_pool_explain(&options));
	return pool;
}

static inline acre_stats
stats_of(acre_pool *pool)
{
	acre_stats stats;

	acre_pool_stats(pool, &stats);
	return stats;
}

/* The equations of acre_stats, at rest. */
static inline void
assert_balanced(acre_pool *pool)
{
	acre_stats s = stats_of(pool);

	ck_assert_uint_eq(s.chunk_bytes, s.region_bytes + s.cache_bytes +
		s.free_bytes + s.limbo_bytes + s.uncarved_bytes +
		s.slack_bytes);
	ck_assert_uint_eq(s.regions_open, s.regions_opened -
		s.regions_closed - s.regions_retired);
}

#endif
