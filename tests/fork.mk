# Tests of forks: what a child can do, with each RCU flavour, and whom a fork
# waits for.

fork_suites = tests/fork_test tests/fork_budget_test tests/fork_locks_test
if HAVE_URCU_MEMB
fork_suites += tests/fork_memb_test
endif
if HAVE_URCU_MB
fork_suites += tests/fork_mb_test
endif
if HAVE_URCU_QSBR
fork_suites += tests/fork_qsbr_test
endif

if HAVE_CHECK
check_PROGRAMS += $(fork_suites)
TESTS += $(fork_suites)
endif
noinst_HEADERS += tests/forks.h

# Threads stop in calls of acre's, and children may have none.
wrap_create = -Wl,--wrap=pthread_create
wrap_calls = $(wrap_create) -Wl,--wrap=aligned_alloc \
	-Wl,--wrap=pthread_atfork

tests_fork_test_CFLAGS = $(AM_CFLAGS)
tests_fork_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_fork_test_LDFLAGS = -static $(wrap_create)

tests_fork_budget_test_CFLAGS = $(AM_CFLAGS)
tests_fork_budget_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_fork_budget_test_LDFLAGS = -static $(wrap_create)

tests_fork_locks_test_CFLAGS = $(AM_CFLAGS)
tests_fork_locks_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_fork_locks_test_LDFLAGS = -static $(wrap_calls)

# One source; flavours are known by their functions.
tests_fork_memb_test_SOURCES = tests/fork_flavour_test.c
tests_fork_memb_test_CPPFLAGS = $(AM_CPPFLAGS) -DFLAVOUR=urcu_memb_flavor
tests_fork_memb_test_CFLAGS = $(AM_CFLAGS) $(URCU_MEMB_CFLAGS)
tests_fork_memb_test_LDADD = $(LDADD) $(URCU_MEMB_LIBS)
tests_fork_memb_test_LDFLAGS = -static $(wrap_create)

tests_fork_mb_test_SOURCES = tests/fork_flavour_test.c
tests_fork_mb_test_CPPFLAGS = $(AM_CPPFLAGS) -DFLAVOUR=urcu_mb_flavor
tests_fork_mb_test_CFLAGS = $(AM_CFLAGS) $(URCU_MB_CFLAGS)
tests_fork_mb_test_LDADD = $(LDADD) $(URCU_MB_LIBS)
tests_fork_mb_test_LDFLAGS = -static $(wrap_create)

tests_fork_qsbr_test_SOURCES = tests/fork_flavour_test.c
tests_fork_qsbr_test_CPPFLAGS = $(AM_CPPFLAGS) -DFLAVOUR=urcu_qsbr_flavor
tests_fork_qsbr_test_CFLAGS = $(AM_CFLAGS) $(URCU_QSBR_CFLAGS)
tests_fork_qsbr_test_LDADD = $(LDADD) $(URCU_QSBR_LIBS)
tests_fork_qsbr_test_LDFLAGS = -static $(wrap_create)
