/* SPDX-License-Identifier: MIT */
/* options_test.c - defaults are as documented, bad options are named. */
#include "lib/options.h"

#include <string.h>
#include <unistd.h>

#include "tests/suite.h"

static const char *
resolve(acre_pool_options given, acre_pool_options *resolved)
{
	return options_resolve(&given, sizeof(given), resolved);
}

START_TEST(null_and_zero_mean_the_defaults)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	acre_pool_options null, zero;

	ck_assert_ptr_null(options_resolve(NULL, 0, &null));
	ck_assert_ptr_null(resolve((acre_pool_options){0}, &zero));
	ck_assert_mem_eq(&null, &zero, sizeof(null));
	ck_assert_ptr_eq(null.source, &acre_malloc_allocator);
	ck_assert_uint_eq(null.page_size, page);
	ck_assert_uint_eq(null.chunk_size, 256 * page);
	ck_assert_uint_eq(null.cache_bytes, 512 * page);
	ck_assert_uint_eq(null.max_bytes, 0);
	ck_assert_str_eq(null.name, "");
}
END_TEST

START_TEST(large_pages_do_not_make_large_caches)
{
	acre_pool_options o;

	ck_assert_ptr_null(resolve((acre_pool_options){
		.page_size = 65536}, &o));
	ck_assert_uint_eq(o.cache_bytes, 2 << 20);
	ck_assert_uint_eq(o.chunk_size, 256 * 65536);
}
END_TEST

START_TEST(huge_pages_make_chunks_of_their_size)
{
	acre_pool_options o;

	ck_assert_ptr_null(resolve((acre_pool_options){
		.source = &acre_huge_allocator}, &o));
	ck_assert_uint_eq(o.chunk_size, 2 << 20);
}
END_TEST

START_TEST(small_limit_makes_a_small_chunk)
{
	acre_pool_options o;

	ck_assert_ptr_null(resolve((acre_pool_options){
		.max_bytes = 10 * 4096 + 5}, &o));
	ck_assert_uint_eq(o.chunk_size, 10 * 4096);
}
END_TEST

static void *
some_allocate(void *userdata, size_t size)
{
	(void)userdata;
	return malloc(size);
}

/* One wrong option each, and a word of the sentence that names it. */
static const struct {
	acre_pool_options options;
	const char *word;
} wrong[] = {
	{{.page_size = 4095}, "page_size"},
	{{.page_size = 3 * 4096}, "power of two"},
	{{.page_size = 2048}, "OS page"},
	{{.page_size = 1}, "OS page"},
	{{.page_size = ~(SIZE_MAX >> 1)}, "chunk_size"},
	{{.page_size = 4096, .chunk_size = 4097}, "multiple"},
	{{.chunk_size = 1}, "smaller"},
	{{.page_size = 8192, .chunk_size = 4096}, "chunk_size"},
	{{.chunk_size = SIZE_MAX & ~(size_t)4095}, "chunk_size"},
	{{.chunk_size = 8192, .max_bytes = 4096}, "max_bytes"},
	{{.max_bytes = 100}, "max_bytes"},
	{{.source = &(const acre_allocator){0}}, "source"},
	{{.source = &(const acre_allocator){.allocate = some_allocate}},
		"source"},
	{{.flags = 1u << 31}, "flags"},
};

START_TEST(wrong_options_are_refused_and_named)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *why = acre_pool_explain(&wrong[i].options);

		ck_assert_msg(why != NULL, "row %zu was accepted", i);
		ck_assert_msg(strstr(why, wrong[i].word) != NULL,
			"row %zu: \"%s\" does not say %s", i, why,
			wrong[i].word);
		errno = 0;
		ck_assert_ptr_null(acre_pool_create(&wrong[i].options));
		ck_assert_int_eq(errno, EINVAL);
	}
}
END_TEST

static const acre_pool_options right[] = {
	{.page_size = 4096, .chunk_size = 4096},
	{.page_size = 65536},
	{.chunk_size = 1000 * 4096},
	{.chunk_size = 3 * 4096, .max_bytes = 3 * 4096},
	{.cache_bytes = 1},
	{.max_bytes = 4096},
	{.name = "of requests"},
};

START_TEST(good_options_are_accepted)
{
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		acre_pool *pool = pool_with(right[i]);

		ck_assert_ptr_null(acre_pool_explain(&right[i]));
		ck_assert_int_eq(acre_pool_destroy(pool), 0);
	}
	ck_assert_ptr_null(acre_pool_explain(NULL));
}
END_TEST

START_TEST(an_older_header_is_understood)
{
	/* It knew page_size and chunk_size only; behind that is garbage. */
	acre_pool_options o, resolved;

	memset(&o, 0xff, sizeof(o));
	o.source = NULL;
	o.page_size = 8192;
	o.chunk_size = 4 * 8192;
	ck_assert_ptr_null(options_resolve(&o,
		offsetof(acre_pool_options, max_bytes), &resolved));
	ck_assert_uint_eq(resolved.chunk_size, 4 * 8192);
	ck_assert_uint_eq(resolved.max_bytes, 0);
	ck_assert_ptr_null(resolved.rcu);
}
END_TEST

START_TEST(a_newer_header_is_understood_where_it_asks_nothing_new)
{
	struct {
		acre_pool_options known;
		size_t unknown;
	} o = {.known = {.page_size = 8192}};
	acre_pool_options resolved;

	ck_assert_ptr_null(options_resolve(&o.known, sizeof(o), &resolved));
	ck_assert_uint_eq(resolved.page_size, 8192);
	o.unknown = 1;
	ck_assert_ptr_nonnull(options_resolve(&o.known, sizeof(o),
		&resolved));
}
END_TEST

SUITE("options", null_and_zero_mean_the_defaults,
	large_pages_do_not_make_large_caches,
	huge_pages_make_chunks_of_their_size, small_limit_makes_a_small_chunk,
	wrong_options_are_refused_and_named, good_options_are_accepted,
	an_older_header_is_understood,
	a_newer_header_is_understood_where_it_asks_nothing_new)
