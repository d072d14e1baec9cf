# The arrays' part of the Makefile: a suite of claims, one of random calls
# against a model, and every call as strict C11 and C++11.

array_suites = tests/array_test tests/array_random_test
if HAVE_CHECK
check_PROGRAMS += $(array_suites)
TESTS += $(array_suites)
endif

array_strict = tests/array_c11_test
if HAVE_CXX
array_strict += tests/array_cxx_test
endif
check_PROGRAMS += $(array_strict)
TESTS += $(array_strict)

TESTS += tests/array_refused_test.sh
EXTRA_DIST += tests/array_refused_test.sh

noinst_HEADERS += tests/array_source.h tests/array_unchecked.h \
	tests/array_use.h

array_flags = -pedantic -pthread -Wall -Wextra -Wshadow -Wconversion -Werror

tests_array_c11_test_CFLAGS = -std=c11 $(array_flags)
tests_array_c11_test_LDADD = libacre.la
tests_array_cxx_test_SOURCES = tests/array_cxx_test.cc
tests_array_cxx_test_CXXFLAGS = -std=c++11 $(array_flags)
tests_array_cxx_test_LDADD = libacre.la

tests_array_test_SOURCES = tests/array_test.c tests/array_unchecked.c
tests_array_test_LDFLAGS = -static

tests_array_random_test_LDFLAGS = -static
