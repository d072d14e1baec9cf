# What threads share, counted: lib/ behind the seam. See doc/scale.md. `make
# check` runs a short form; `make bench` all of it.

check_LIBRARIES += bench/libcounted.a
check_PROGRAMS += bench/sharing
TESTS += tests/sharing_test.sh tests/gates_test.sh
EXTRA_DIST += tests/sharing_test.sh tests/gates_test.sh

# As for ThreadSanitizer: counters are atomic operations, not assembly.
bench_libcounted_a_SOURCES = $(libacre_la_SOURCES) $(seam_headers)
bench_libcounted_a_CPPFLAGS = -I$(top_srcdir)/seam $(AM_CPPFLAGS) \
	-U__SANITIZE_THREAD__ -D__SANITIZE_THREAD__=1

# counted.c has helper.c's functions, so that one is not taken.
bench_sharing_SOURCES = \
	bench/counted.c bench/counted.h \
	bench/lines.c bench/lines.h \
	bench/queueing.c bench/queueing.h \
	bench/shared_work.c bench/shared_work.h \
	bench/sharing.c \
	bench/sizes.c bench/sizes.h \
	bench/turns.c bench/turns.h
bench_sharing_CPPFLAGS = $(bench_libcounted_a_CPPFLAGS)
bench_sharing_LDFLAGS = -Wl,--wrap=pthread_mutex_lock \
	-Wl,--wrap=pthread_mutex_trylock -Wl,--wrap=pthread_mutex_unlock
bench_sharing_LDADD = bench/libcounted.a -lm
