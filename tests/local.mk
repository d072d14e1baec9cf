# tests's part of the Makefile: one suite per file of lib/, each a program.

# malloc returns NULL under a sanitizer too, as it does without.
may_fail = allocator_may_return_null=1
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)' CC='$(CC)' CFLAGS='$(CFLAGS)'; \
	TSAN_OPTIONS=$(may_fail):$$TSAN_OPTIONS; \
	ASAN_OPTIONS=$(may_fail):$$ASAN_OPTIONS; \
	export srcdir CC CFLAGS TSAN_OPTIONS ASAN_OPTIONS;

suites = \
	tests/alloc_test \
	tests/allocator_test \
	tests/block_test \
	tests/bound_test \
	tests/budget_test \
	tests/cache_test \
	tests/chunk_test \
	tests/claim_test \
	tests/cleanup_test \
	tests/decay_test \
	tests/descriptor_test \
	tests/freelist_test \
	tests/grace_test \
	tests/grow_test \
	tests/helper_test \
	tests/large_test \
	tests/learn_test \
	tests/limit_test \
	tests/lines_test \
	tests/mark_test \
	tests/mmap_test \
	tests/options_test \
	tests/pool_test \
	tests/property_test \
	tests/region_test \
	tests/region_allocator_test \
	tests/scope_test \
	tests/source_test \
	tests/stats_test \
	tests/store_test \
	tests/text_test \
	tests/thread_test \
	tests/trim_test

if HAVE_CXX
suites += tests/scope_cxx_test
endif

if HAVE_CHECK
check_PROGRAMS += $(suites)
TESTS += $(suites)
endif

EXTRA_DIST += tests/exports_test.sh tests/readme_test.sh tests/httpd_test.sh \
	tests/instructions_test.sh
noinst_HEADERS = tests/suite.h tests/fixture.h tests/source.h \
	tests/header_test.h tests/no_threads.h tests/pages.h tests/process.h

headers = tests/header_c99_test
if HAVE_CXX
headers += tests/header_cxx_test
endif
check_PROGRAMS += $(headers)
TESTS += $(headers) tests/exports_test.sh tests/readme_test.sh \
	tests/httpd_test.sh tests/instructions_test.sh
check_PROGRAMS += bench/count

tests_header_c99_test_CFLAGS = -std=c99 -pedantic -pthread \
	-Wall -Wextra -Wshadow -Wconversion -Werror
tests_header_c99_test_LDADD = libacre.la
tests_header_cxx_test_SOURCES = tests/header_cxx_test.cc
tests_header_cxx_test_CXXFLAGS = -std=c++11 -pedantic -pthread \
	-Wall -Wextra -Wshadow -Wconversion -Werror
tests_header_cxx_test_LDADD = libacre.la

# What a program is linked with that does not say. Suites reach into the inner
# rooms, which only the static library shows.
AM_CPPFLAGS += $(CHECK_CFLAGS)
LDADD = libacre.la $(CHECK_LIBS)

tests_alloc_test_LDFLAGS = -static
tests_allocator_test_LDFLAGS = -static
tests_block_test_LDFLAGS = -static
tests_bound_test_LDFLAGS = -static
tests_budget_test_LDFLAGS = -static
tests_cache_test_LDFLAGS = -static
tests_chunk_test_LDFLAGS = -static
tests_claim_test_LDFLAGS = -static -Wl,--wrap=syscall,--wrap=pool_give
tests_cleanup_test_LDFLAGS = -static
tests_decay_test_LDFLAGS = -static -Wl,--wrap=pthread_create,--wrap=malloc
tests_descriptor_test_LDFLAGS = -static
tests_freelist_test_LDFLAGS = -static
tests_grace_test_LDFLAGS = -static
tests_grow_test_LDFLAGS = -static
tests_helper_test_LDFLAGS = -static -Wl,--wrap=pthread_create,--wrap=pthread_cond_timedwait
tests_large_test_LDFLAGS = -static
tests_learn_test_LDFLAGS = -static
tests_limit_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_limit_test_LDFLAGS = -static -Wl,--wrap=pthread_cond_timedwait
tests_lines_test_LDFLAGS = -static
tests_mark_test_LDFLAGS = -static
tests_mmap_test_LDFLAGS = -static
tests_options_test_LDFLAGS = -static
tests_pool_test_LDFLAGS = -static
tests_property_test_SOURCES = tests/property_test.c tests/property.h \
	tests/property_model.c tests/property_objects.c \
	tests/property_regions.c
tests_property_test_LDFLAGS = -static
tests_region_test_LDFLAGS = -static
tests_region_allocator_test_LDFLAGS = -static
tests_scope_test_LDFLAGS = -static
tests_source_test_LDFLAGS = -static
tests_stats_test_LDFLAGS = -static -Wl,--wrap=registry_lock,--wrap=registry_unlock
tests_store_test_LDFLAGS = -static -Wl,--wrap=malloc
tests_text_test_LDFLAGS = -static
tests_thread_test_LDFLAGS = -static -Wl,--wrap=aligned_alloc
tests_trim_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_trim_test_LDFLAGS = -static -Wl,--wrap=malloc,--wrap=aligned_alloc

tests_scope_cxx_test_SOURCES = tests/scope_cxx_test.cc
tests_scope_cxx_test_CXXFLAGS = -std=c++11 -pthread $(WARN_CFLAGS)
tests_scope_cxx_test_LDFLAGS = -static
