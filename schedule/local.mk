# Deterministic schedules: lib/ behind the seam, one thread at a time, by seed.
# `make check` runs a short form; `make schedules` SCHEDULE_SEEDS of each.

SCHEDULE_SEEDS = 1000

check_LIBRARIES += schedule/libscheduled.a
check_PROGRAMS += schedule/schedules $(schedule_broken)
TESTS += schedule/short.sh schedule/can-see.sh
EXTRA_DIST += schedule/short.sh schedule/can-see.sh
CLEANFILES += schedule/torn-push-freelist.c schedule/lost-wake-helper.c

# As for ThreadSanitizer: counters are atomic operations, not assembly.
schedule_cppflags = -I$(top_srcdir)/seam $(AM_CPPFLAGS) \
	-U__SANITIZE_THREAD__ -D__SANITIZE_THREAD__=1
schedule_wrap = -Wl,--wrap=pthread_mutex_lock \
	-Wl,--wrap=pthread_mutex_trylock -Wl,--wrap=pthread_mutex_unlock \
	-Wl,--wrap=pthread_cond_wait -Wl,--wrap=pthread_cond_timedwait \
	-Wl,--wrap=pthread_cond_signal -Wl,--wrap=pthread_cond_broadcast \
	-Wl,--wrap=pthread_create -Wl,--wrap=pthread_join \
	-Wl,--wrap=pthread_key_create -Wl,--wrap=pthread_setspecific \
	-Wl,--wrap=clock_gettime -Wl,--wrap=sched_yield

schedule_libscheduled_a_SOURCES = \
	schedule/main.c \
	schedule/scenarios.c \
	schedule/schedule.h \
	schedule/scheduler.c \
	schedule/seam.c \
	schedule/thread.c \
	$(libacre_la_SOURCES) $(seam_headers)
schedule_libscheduled_a_CPPFLAGS = $(schedule_cppflags)

schedule_schedules_SOURCES =
schedule_schedules_LDFLAGS = $(schedule_wrap) $(schedule_main)
schedule_schedules_LDADD = schedule/libscheduled.a

# Broken on purpose, each in one file, which stands in for the library's.
schedule_broken = schedule/skip-grace schedule/torn-push schedule/lost-wake

schedule_skip_grace_SOURCES = lib/descriptor.c lib/retire.c
schedule_skip_grace_CPPFLAGS = $(schedule_cppflags) -DACRE_PROBE_SKIP_GRACE
schedule_skip_grace_LDFLAGS = $(schedule_wrap) $(schedule_main)
schedule_skip_grace_LDADD = schedule/libscheduled.a

# A push that looks and stores, instead of a compare-and-swap.
nodist_schedule_torn_push_SOURCES = schedule/torn-push-freelist.c
schedule_torn_push_SOURCES =
schedule_torn_push_CPPFLAGS = $(schedule_cppflags)
schedule_torn_push_LDFLAGS = $(schedule_wrap) $(schedule_main)
schedule_torn_push_LDADD = schedule/libscheduled.a

# A helper that falls asleep without a last look at what is wanted.
nodist_schedule_lost_wake_SOURCES = schedule/lost-wake-helper.c
schedule_lost_wake_SOURCES =
schedule_lost_wake_CPPFLAGS = $(schedule_cppflags)
schedule_lost_wake_LDFLAGS = $(schedule_wrap) $(schedule_main)
schedule_lost_wake_LDADD = schedule/libscheduled.a

# main is in the archive, so something must ask for it.
schedule_main = -Wl,-u,main

# sed that changes nothing is an error: the source has changed.
schedule/torn-push-freelist.c: lib/freelist.c schedule/$(am__dirstamp)
	sed 's/} while (!cas_release(&list->head, &head, descriptor));/}\
	while (load_relaxed(\&list->head) != head);\
	store_release(\&list->head, descriptor);/' \
		$(srcdir)/lib/freelist.c >$@.new
	! cmp -s $(srcdir)/lib/freelist.c $@.new
	mv $@.new $@

schedule/lost-wake-helper.c: lib/helper.c schedule/$(am__dirstamp)
	sed 's/while (stays && !helper.stop && !something_wanted())/if (!helper.stop)/' \
		$(srcdir)/lib/helper.c >$@.new
	! cmp -s $(srcdir)/lib/helper.c $@.new
	mv $@.new $@

.PHONY: schedules
schedules: schedule/schedules
	schedule/schedules --seeds $(SCHEDULE_SEEDS)
