# Tests of retired regions; a program for each RCU flavour, as the headers of
# liburcu 0.13 go.

retire_suites = tests/retire_test tests/retire_wait_test \
	tests/retire_bound_test

retire_flavours = tests/retire_bp_test
if HAVE_URCU_MEMB
retire_flavours += tests/retire_memb_test
endif
if HAVE_URCU_MB
retire_flavours += tests/retire_mb_test
endif
if HAVE_URCU_QSBR
retire_flavours += tests/retire_qsbr_test
endif

if HAVE_CHECK
check_PROGRAMS += $(retire_suites) $(retire_flavours)
TESTS += $(retire_suites) $(retire_flavours)
endif
noinst_HEADERS += tests/actor.h tests/limbo.h tests/retired.h \
	tests/retire_flavour_test.h

tests_retire_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_retire_test_LDFLAGS = -static

tests_retire_wait_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_retire_wait_test_LDFLAGS = -static

tests_retire_bound_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_retire_bound_test_LDFLAGS = -static

tests_retire_bp_test_LDADD = $(LDADD) $(URCU_LIBS)
tests_retire_bp_test_LDFLAGS = -static

tests_retire_memb_test_CFLAGS = $(AM_CFLAGS) $(URCU_MEMB_CFLAGS)
tests_retire_memb_test_LDADD = $(LDADD) $(URCU_MEMB_LIBS)
tests_retire_memb_test_LDFLAGS = -static

tests_retire_mb_test_CFLAGS = $(AM_CFLAGS) $(URCU_MB_CFLAGS)
tests_retire_mb_test_LDADD = $(LDADD) $(URCU_MB_LIBS)
tests_retire_mb_test_LDFLAGS = -static

tests_retire_qsbr_test_CFLAGS = $(AM_CFLAGS) $(URCU_QSBR_CFLAGS)
tests_retire_qsbr_test_LDADD = $(LDADD) $(URCU_QSBR_LIBS)
tests_retire_qsbr_test_LDFLAGS = -static
