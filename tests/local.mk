# tests's part of the Makefile: one suite per file of lib/, each a program.

# malloc returns NULL under a sanitizer too, as it does without.
may_fail = allocator_may_return_null=1
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)' CC='$(CC)' CFLAGS='$(CFLAGS)'; \
	TSAN_OPTIONS=$(may_fail):$$TSAN_OPTIONS; \
	ASAN_OPTIONS=$(may_fail):$$ASAN_OPTIONS; \
	export srcdir CC CFLAGS TSAN_OPTIONS ASAN_OPTIONS;

suites = \
	tests/allocator_test \
	tests/block_test \
	tests/cache_test \
	tests/chunk_test \
	tests/descriptor_test \
	tests/freelist_test \
	tests/grace_test \
	tests/helper_test \
	tests/options_test \
	tests/pool_test \
	tests/region_test \
	tests/stats_test \
	tests/text_test

# Suites reach into the inner rooms, which only the static library shows.
suite_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
suite_libs = libacre.la $(CHECK_LIBS)

if HAVE_CHECK
check_PROGRAMS += $(suites)
TESTS += $(suites)
endif

EXTRA_DIST += tests/exports_test.sh tests/readme_test.sh tests/httpd_test.sh
noinst_HEADERS = tests/suite.h tests/source.h tests/header_test.h

headers = tests/header_c99_test tests/header_cxx_test
check_PROGRAMS += $(headers)
TESTS += $(headers) tests/exports_test.sh tests/readme_test.sh \
	tests/httpd_test.sh

tests_header_c99_test_CFLAGS = -std=c99 -pedantic -pthread \
	-Wall -Wextra -Wshadow -Wconversion -Werror
tests_header_c99_test_LDADD = libacre.la
tests_header_cxx_test_SOURCES = tests/header_cxx_test.cc
tests_header_cxx_test_CXXFLAGS = -std=c++11 -pedantic -pthread \
	-Wall -Wextra -Wshadow -Wconversion -Werror
tests_header_cxx_test_LDADD = libacre.la

tests_allocator_test_CFLAGS = $(suite_cflags)
tests_allocator_test_LDADD = $(suite_libs)
tests_allocator_test_LDFLAGS = -static

tests_block_test_CFLAGS = $(suite_cflags)
tests_block_test_LDADD = $(suite_libs)
tests_block_test_LDFLAGS = -static

tests_cache_test_CFLAGS = $(suite_cflags)
tests_cache_test_LDADD = $(suite_libs)
tests_cache_test_LDFLAGS = -static

tests_chunk_test_CFLAGS = $(suite_cflags)
tests_chunk_test_LDADD = $(suite_libs)
tests_chunk_test_LDFLAGS = -static

tests_descriptor_test_CFLAGS = $(suite_cflags)
tests_descriptor_test_LDADD = $(suite_libs)
tests_descriptor_test_LDFLAGS = -static

tests_freelist_test_CFLAGS = $(suite_cflags)
tests_freelist_test_LDADD = $(suite_libs)
tests_freelist_test_LDFLAGS = -static

tests_grace_test_CFLAGS = $(suite_cflags)
tests_grace_test_LDADD = $(suite_libs)
tests_grace_test_LDFLAGS = -static

tests_helper_test_CFLAGS = $(suite_cflags)
tests_helper_test_LDADD = $(suite_libs)
tests_helper_test_LDFLAGS = -static

tests_options_test_CFLAGS = $(suite_cflags)
tests_options_test_LDADD = $(suite_libs)
tests_options_test_LDFLAGS = -static

tests_pool_test_CFLAGS = $(suite_cflags)
tests_pool_test_LDADD = $(suite_libs)
tests_pool_test_LDFLAGS = -static

tests_region_test_CFLAGS = $(suite_cflags)
tests_region_test_LDADD = $(suite_libs)
tests_region_test_LDFLAGS = -static

tests_stats_test_CFLAGS = $(suite_cflags)
tests_stats_test_LDADD = $(suite_libs)
tests_stats_test_LDFLAGS = -static

tests_text_test_CFLAGS = $(suite_cflags)
tests_text_test_LDADD = $(suite_libs)
tests_text_test_LDFLAGS = -static
