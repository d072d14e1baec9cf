# Everything at once, for long: `make soak`; two seconds of it in `make check`.
# And builds of it that are broken on purpose, each in one file, which stands in
# for the library's.

SOAK_SECONDS = 600
SOAK_THREADS = 8

soak_broken = stress/soak-lost-page stress/soak-lost-retire \
	stress/soak-kept-cache stress/soak-heap-leak

check_PROGRAMS += stress/soak $(soak_broken)
TESTS += stress/soak-short.sh stress/soak-can-see.sh
EXTRA_DIST += stress/soak-short.sh stress/soak-can-see.sh
CLEANFILES += stress/soak-lost-page-region.c stress/soak-lost-retire-retire.c \
	stress/soak-kept-cache-thread.c stress/soak-heap-leak-region.c

stress_soak_SOURCES = stress/soak.c \
	stress/actor.c stress/actor.h stress/crowd.c stress/crowd.h \
	stress/trend.c stress/trend.h $(stress_common)
stress_soak_LDADD = libacre.la $(URCU_LIBS)

# One block in a thousand that regions begin with does not come back.
nodist_stress_soak_lost_page_SOURCES = stress/soak-lost-page-region.c
stress_soak_lost_page_SOURCES = $(stress_soak_SOURCES)
stress_soak_lost_page_LDADD = $(stress_soak_LDADD)
stress_soak_lost_page_LDFLAGS = -static

# One retired region in a thousand leaves limbo, and does not end.
nodist_stress_soak_lost_retire_SOURCES = stress/soak-lost-retire-retire.c
stress_soak_lost_retire_SOURCES = $(stress_soak_SOURCES)
stress_soak_lost_retire_LDADD = $(stress_soak_LDADD)
stress_soak_lost_retire_LDFLAGS = -static

# A thread that ends keeps its blocks.
nodist_stress_soak_kept_cache_SOURCES = stress/soak-kept-cache-thread.c
stress_soak_kept_cache_SOURCES = $(stress_soak_SOURCES)
stress_soak_kept_cache_LDADD = $(stress_soak_LDADD)
stress_soak_kept_cache_LDFLAGS = -static

# With one region in ten, a page of malloc's that no pool counts.
nodist_stress_soak_heap_leak_SOURCES = stress/soak-heap-leak-region.c
stress_soak_heap_leak_SOURCES = $(stress_soak_SOURCES)
stress_soak_heap_leak_LDADD = $(stress_soak_LDADD)
stress_soak_heap_leak_LDFLAGS = -static

# How often one of these comes by.
soak_number = __extension__ ({ static _Atomic(unsigned) n; \
	add_relaxed(\&n, 1); })

# sed that changes nothing is an error: the source has changed.
stress/soak-lost-page-region.c: lib/region.c stress/$(am__dirstamp)
	sed 's/if (region->state & STATE_BUFFER)$$/if (region->state \& STATE_BUFFER || $(soak_number) % 1000 == 0)/' \
		$(srcdir)/lib/region.c >$@.new
	! cmp -s $(srcdir)/lib/region.c $@.new
	mv $@.new $@

stress/soak-heap-leak-region.c: lib/region.c stress/$(am__dirstamp)
	sed -e 's/if (region->state & STATE_BUFFER)$$/if ($(soak_number) % 10 == 0) memset(malloc(4096), 1, 4096);\
	&/' -e 's/^#include <string.h>/#include <stdlib.h>\
	&/' \
		$(srcdir)/lib/region.c >$@.new
	! cmp -s $(srcdir)/lib/region.c $@.new
	mv $@.new $@

stress/soak-lost-retire-retire.c: lib/retire.c stress/$(am__dirstamp)
	sed 's/^	region_end_limbo(region);/	if ($(soak_number) % 1000) region_end_limbo(region);/' \
		$(srcdir)/lib/retire.c >$@.new
	! cmp -s $(srcdir)/lib/retire.c $@.new
	mv $@.new $@

stress/soak-kept-cache-thread.c: lib/thread.c stress/$(am__dirstamp)
	sed '/^end_cache(/,/^}/s/^	cache_flush(cache);//' \
		$(srcdir)/lib/thread.c >$@.new
	! cmp -s $(srcdir)/lib/thread.c $@.new
	mv $@.new $@

.PHONY: soak
soak: stress/soak stress/soak-heap-leak
	$(srcdir)/stress/soak-can-see.sh long
	stress/soak --threads $(SOAK_THREADS) --seconds $(SOAK_SECONDS)
