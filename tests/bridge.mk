# The bridges' part of the Makefile: each one's test, as C99 and as C++.

bridges =
if HAVE_JEMALLOC
bridges += tests/bridge_jemalloc_test
if HAVE_CXX
bridges += tests/bridge_jemalloc_cxx_test
endif
endif
if HAVE_MIMALLOC
bridges += tests/bridge_mimalloc_test
if HAVE_CXX
bridges += tests/bridge_mimalloc_cxx_test
endif
endif

check_PROGRAMS += $(bridges)
TESTS += $(bridges)
noinst_HEADERS += tests/bridge_test.h

bridge_flags = -pedantic -pthread -Wall -Wextra -Wshadow -Wconversion -Werror

tests_bridge_jemalloc_test_CFLAGS = -std=c99 $(bridge_flags) \
	$(JEMALLOC_CFLAGS)
tests_bridge_jemalloc_test_LDADD = libacre.la $(JEMALLOC_LIBS)
tests_bridge_jemalloc_cxx_test_SOURCES = tests/bridge_jemalloc_cxx_test.cc
tests_bridge_jemalloc_cxx_test_CXXFLAGS = -std=c++11 $(bridge_flags) \
	$(JEMALLOC_CFLAGS)
tests_bridge_jemalloc_cxx_test_LDADD = libacre.la $(JEMALLOC_LIBS)

tests_bridge_mimalloc_test_CFLAGS = -std=c99 $(bridge_flags) \
	$(MIMALLOC_CFLAGS)
tests_bridge_mimalloc_test_LDADD = libacre.la $(MIMALLOC_LIBS)
tests_bridge_mimalloc_cxx_test_SOURCES = tests/bridge_mimalloc_cxx_test.cc
tests_bridge_mimalloc_cxx_test_CXXFLAGS = -std=c++11 $(bridge_flags) \
	$(MIMALLOC_CFLAGS)
tests_bridge_mimalloc_cxx_test_LDADD = libacre.la $(MIMALLOC_LIBS)
