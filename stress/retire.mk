# The stress of retired regions; once right, once wrong on purpose.

stress_programs += stress/retire
check_PROGRAMS += stress/retire-skip-grace
TESTS += stress/retire-can-see.sh
EXTRA_DIST += stress/retire-can-see.sh

stress_retire_SOURCES = stress/retire.c $(stress_common)
stress_retire_LDADD = libacre.la $(URCU_LIBS)

# Its own retire.c stands in for the library's, so that free lists are right.
stress_retire_skip_grace_SOURCES = $(stress_retire_SOURCES) lib/retire.c
stress_retire_skip_grace_CPPFLAGS = $(AM_CPPFLAGS) -DACRE_PROBE_SKIP_GRACE
stress_retire_skip_grace_LDADD = libacre.la $(URCU_LIBS)
stress_retire_skip_grace_LDFLAGS = -static
