# bench's part of the Makefile: a program for each peer, one that runs them
# side by side, and loops to count instructions in. None of it is built by
# make all. See doc/benchmarks.md.

bench_driver = \
	bench/cores.c bench/cores.h \
	bench/driver.c \
	bench/meter.c bench/meter.h \
	bench/peer.h \
	bench/queue.c bench/queue.h \
	bench/sizes.c bench/sizes.h \
	bench/ticks.h \
	bench/workload.h

# The limit first, then acre: the others are compared with them.
bench_peers = bench/peer_limit bench/peer_acre bench/peer_malloc
if HAVE_TCMALLOC
bench_peers += bench/peer_tcmalloc
endif
if HAVE_JEMALLOC
bench_peers += bench/peer_jemalloc bench/peer_jemalloc_arena
endif
if HAVE_MIMALLOC
bench_peers += bench/peer_mimalloc bench/peer_mimalloc_heap
endif
if HAVE_APR
bench_peers += bench/peer_apr bench/peer_apr_shared
endif
if HAVE_TALLOC
bench_peers += bench/peer_talloc bench/peer_talloc_pool
endif
if HAVE_OBSTACK
bench_peers += bench/peer_obstack
endif
if HAVE_PROTOBUF
bench_peers += bench/peer_protobuf
endif
if HAVE_CXX
bench_peers += bench/peer_pmr bench/peer_pmr_pool
endif
bench_counted = bench/count bench/count_shared bench/peer_acre_shared \
	bench/budget
bench_programs = bench/bench $(bench_peers) $(bench_counted)

EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
EXTRA_DIST += bench/charts.gp bench/gates bench/gates.sh bench/instructions.sh \
	bench/report.sh bench/run.sh bench/thrice.sh

bench_bench_SOURCES = \
	bench/bench.c \
	bench/child.c bench/child.h \
	bench/cores.c bench/cores.h \
	bench/series.c bench/series.h
bench_bench_LDADD = -lm

bench_peer_limit_SOURCES = bench/peer_limit.c $(bench_driver)
bench_peer_limit_LDADD = -lm

bench_peer_malloc_SOURCES = bench/peer_malloc.c bench/freeing.h $(bench_driver)
bench_peer_malloc_LDADD = -lm

bench_peer_tcmalloc_SOURCES = bench/peer_tcmalloc.c bench/freeing.h \
	$(bench_driver)
bench_peer_tcmalloc_CPPFLAGS = $(AM_CPPFLAGS) $(TCMALLOC_CFLAGS)
bench_peer_tcmalloc_LDADD = $(TCMALLOC_LIBS) -lm

bench_peer_jemalloc_SOURCES = bench/peer_jemalloc.c bench/freeing.h \
	$(bench_driver)
bench_peer_jemalloc_CPPFLAGS = $(AM_CPPFLAGS) $(JEMALLOC_CFLAGS)
bench_peer_jemalloc_LDADD = $(JEMALLOC_LIBS) -lm

bench_peer_jemalloc_arena_SOURCES = bench/peer_jemalloc_arena.c $(bench_driver)
bench_peer_jemalloc_arena_CPPFLAGS = $(AM_CPPFLAGS) $(JEMALLOC_CFLAGS)
bench_peer_jemalloc_arena_LDADD = $(JEMALLOC_LIBS) -lm

bench_peer_mimalloc_SOURCES = bench/peer_mimalloc.c bench/freeing.h \
	$(bench_driver)
bench_peer_mimalloc_CPPFLAGS = $(AM_CPPFLAGS) $(MIMALLOC_CFLAGS)
bench_peer_mimalloc_LDADD = $(MIMALLOC_LIBS) -lm

bench_peer_mimalloc_heap_SOURCES = bench/peer_mimalloc_heap.c $(bench_driver)
bench_peer_mimalloc_heap_CPPFLAGS = $(AM_CPPFLAGS) $(MIMALLOC_CFLAGS)
bench_peer_mimalloc_heap_LDADD = $(MIMALLOC_LIBS) -lm

bench_peer_apr_SOURCES = bench/peer_apr.c $(bench_driver)
bench_peer_apr_CPPFLAGS = $(AM_CPPFLAGS) $(APR_CFLAGS)
bench_peer_apr_LDADD = $(APR_LIBS) -lm

bench_peer_apr_shared_SOURCES = bench/peer_apr.c $(bench_driver)
bench_peer_apr_shared_CPPFLAGS = $(AM_CPPFLAGS) $(APR_CFLAGS) -DPEER_SHARED
bench_peer_apr_shared_LDADD = $(APR_LIBS) -lm

bench_peer_talloc_SOURCES = bench/peer_talloc.c $(bench_driver)
bench_peer_talloc_CPPFLAGS = $(AM_CPPFLAGS) $(TALLOC_CFLAGS)
bench_peer_talloc_LDADD = $(TALLOC_LIBS) -lm

bench_peer_talloc_pool_SOURCES = bench/peer_talloc_pool.c $(bench_driver)
bench_peer_talloc_pool_CPPFLAGS = $(AM_CPPFLAGS) $(TALLOC_CFLAGS)
bench_peer_talloc_pool_LDADD = $(TALLOC_LIBS) -lm

bench_peer_obstack_SOURCES = bench/peer_obstack.c $(bench_driver)
bench_peer_obstack_LDADD = -lm

bench_peer_protobuf_SOURCES = bench/peer_protobuf.cc $(bench_driver)
bench_peer_protobuf_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_CFLAGS)
bench_peer_protobuf_CXXFLAGS = -std=c++17 -pthread $(WARN_CFLAGS)
bench_peer_protobuf_LDADD = $(PROTOBUF_LIBS) -lm

bench_peer_pmr_SOURCES = bench/peer_pmr.cc $(bench_driver)
bench_peer_pmr_CXXFLAGS = -std=c++17 -pthread $(WARN_CFLAGS)
bench_peer_pmr_LDADD = -lm

bench_peer_pmr_pool_SOURCES = bench/peer_pmr_pool.cc $(bench_driver)
bench_peer_pmr_pool_CXXFLAGS = -std=c++17 -pthread $(WARN_CFLAGS)
bench_peer_pmr_pool_LDADD = -lm

# libtool's -static means acre's static library and the system's shared ones.
bench_peer_acre_SOURCES = bench/peer_acre.c $(bench_driver)
bench_peer_acre_LDADD = libacre.la -lm
bench_peer_acre_LDFLAGS = -static

bench_peer_acre_shared_SOURCES = $(bench_peer_acre_SOURCES)
bench_peer_acre_shared_LDADD = libacre.la -lm
bench_peer_acre_shared_LDFLAGS = -no-install

# Without debugging information: valgrind cannot read every compiler's.
bench_count_SOURCES = bench/count.c
bench_count_LDADD = libacre.la
bench_count_LDFLAGS = -static -Wl,-S

bench_count_shared_SOURCES = bench/count.c
bench_count_shared_LDADD = libacre.la
bench_count_shared_LDFLAGS = -no-install -Wl,-S

bench_budget_SOURCES = bench/budget.c bench/meter.c bench/meter.h
bench_budget_LDADD = libacre.la
bench_budget_LDFLAGS = -static -Wl,-S

# What the quick one compares.
bench_few = bench/peer_limit bench/peer_acre bench/peer_malloc
if HAVE_APR
bench_few += bench/peer_apr
endif

# What the gates need, with a witness.
bench_fewest = bench/peer_limit bench/peer_acre
if HAVE_APR
bench_fewest += bench/peer_apr
endif

.PHONY: bench bench-quick bench-thrice bench-charts bench-gates

# Ends with the table of gates; the report is bench/report/index.html.
bench: $(bench_programs) bench/sharing
	$(MAKE) bench-array
	$(srcdir)/bench/run.sh $(bench_peers)

# The same, and its charts become the documents'.
bench-charts: bench
	cp bench/report/*.svg $(srcdir)/doc/charts/

bench-quick: $(bench_programs) bench/sharing
	$(MAKE) bench-array ARRAY_BENCH=--quick
	$(srcdir)/bench/run.sh --quick $(bench_few)

# All gates, three times, with few peers: some two minutes.
bench-thrice: bench/bench bench/count bench/sharing $(bench_fewest)
	$(srcdir)/bench/thrice.sh $(bench_fewest)

bench-gates: bench/count
	$(srcdir)/bench/instructions.sh --gates

clean-local: bench-clean
bench-clean:
	-rm -rf bench/report bench/thrice
