# The arrays' benchmark; not built by make all. It needs a C++17 compiler, for
# std::pmr::vector. See doc/arrays.md.

EXTRA_PROGRAMS += bench/array_bench
CLEANFILES += bench/array_bench
EXTRA_DIST += bench/array_instructions.sh

bench_array_bench_SOURCES = \
	bench/array_acre.c \
	bench/array_bench.c \
	bench/array_malloc.c \
	bench/array_peer.h \
	bench/array_pmr.cc \
	bench/series.c bench/series.h
bench_array_bench_CXXFLAGS = -std=c++17 $(WARN_CFLAGS)
bench_array_bench_LDADD = libacre.la -lm
bench_array_bench_LDFLAGS = -static -Wl,-S

.PHONY: bench-array

if HAVE_CXX
bench-array: bench/array_bench
	bench/array_bench $(ARRAY_BENCH)
	$(srcdir)/bench/array_instructions.sh
else
bench-array:
	@echo "bench-array: skipped: no C++ compiler"
endif
