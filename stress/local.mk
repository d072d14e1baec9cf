# Stress programs. Each runs for a second in `make check`; `make stress` runs
# them for STRESS_SECONDS each. `make tsan` and `make asan` build everything
# again with a sanitizer, and check it.

STRESS_SECONDS = 60

stress_common = \
	stress/common.c stress/common.h \
	stress/filled.c stress/filled.h

stress_programs = stress/aba stress/budget stress/burst stress/churn \
	stress/handoff stress/idle stress/stalled stress/threads

check_PROGRAMS += $(stress_programs) stress/soak stress/aba-skip-grace \
	stress/idle-skip-membarrier stress/planted-race
TESTS += $(stress_programs) stress/aba-can-see.sh stress/idle-can-see.sh \
	stress/tsan-can-see.sh
EXTRA_DIST += stress/aba-can-see.sh stress/idle-can-see.sh \
	stress/tsan-can-see.sh stress/sanitize.sh

stress_burst_SOURCES = stress/burst.c $(stress_common)
stress_burst_LDADD = libacre.la $(URCU_LIBS)
stress_burst_LDFLAGS = -static

# Its own budget.c, with a probe, stands in for the library's.
stress_budget_SOURCES = stress/budget.c $(stress_common) lib/budget.c
stress_budget_CPPFLAGS = $(AM_CPPFLAGS) -DACRE_PROBES
stress_budget_LDADD = libacre.la $(URCU_LIBS)
stress_budget_LDFLAGS = -static

stress_churn_SOURCES = stress/churn.c $(stress_common)
stress_churn_LDADD = libacre.la

stress_handoff_SOURCES = stress/handoff.c stress/pairs.c stress/pairs.h \
	$(stress_common)
stress_handoff_LDADD = libacre.la

# Once right, once wrong on purpose: its own membarrier.c stands in.
stress_idle_SOURCES = stress/idle.c $(stress_common)
stress_idle_LDADD = libacre.la $(URCU_LIBS)
stress_idle_LDFLAGS = -static
stress_idle_skip_membarrier_SOURCES = $(stress_idle_SOURCES) lib/membarrier.c
stress_idle_skip_membarrier_CPPFLAGS = $(AM_CPPFLAGS) \
	-DACRE_PROBE_SKIP_MEMBARRIER
stress_idle_skip_membarrier_LDADD = $(stress_idle_LDADD)
stress_idle_skip_membarrier_LDFLAGS = -static

stress_stalled_SOURCES = stress/stalled.c stress/pairs.c stress/pairs.h \
	$(stress_common)
stress_stalled_LDADD = libacre.la $(URCU_LIBS)
stress_stalled_LDFLAGS = -static

stress_threads_SOURCES = stress/threads.c $(stress_common)
stress_threads_LDADD = libacre.la

# The free list alone, with probes; once right, once wrong on purpose.
stress_aba_SOURCES = stress/aba.c stress/common.c stress/common.h \
	lib/descriptor.c lib/freelist.c lib/grace.c lib/helper.c
stress_aba_CPPFLAGS = $(AM_CPPFLAGS) -DACRE_PROBES
stress_aba_LDADD = libacre.la $(URCU_LIBS)
stress_aba_skip_grace_SOURCES = $(stress_aba_SOURCES)
stress_aba_skip_grace_CPPFLAGS = $(stress_aba_CPPFLAGS) \
	-DACRE_PROBE_SKIP_GRACE
stress_aba_skip_grace_LDADD = $(stress_aba_LDADD)

stress_planted_race_SOURCES = stress/planted-race.c
stress_planted_race_LDADD = libacre.la

.PHONY: stress tsan asan
stress: $(stress_programs)
	@for program in $(stress_programs); do \
		$$program --seconds $(STRESS_SECONDS) || exit 1; \
	done

tsan asan:
	mkdir -p build-$@
	$(MAKE) distdir=build-$@/source distdir
	CC='$(CC)' CXX='$(CXX)' MAKE='$(MAKE)' \
		$(SHELL) $(srcdir)/stress/sanitize.sh $@

distclean-local:
	rm -rf build-tsan build-asan
