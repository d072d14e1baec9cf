# Deterministic schedules: lib/ behind the seam, one thread at a time, by seed.
# `make check` runs a short form; `make schedules` SCHEDULE_SEEDS of each.

SCHEDULE_SEEDS = 1000

check_LIBRARIES += schedule/libscheduled.a
check_PROGRAMS += schedule/schedules $(schedule_broken)
TESTS += schedule/short.sh schedule/can-see.sh
EXTRA_DIST += schedule/short.sh schedule/can-see.sh
CLEANFILES += schedule/torn-push-freelist.c schedule/lost-wake-helper.c \
	schedule/torn-take-chunk.c schedule/blind-claim-claim.c \
	schedule/hasty-destroy-decay.c schedule/hasty-refusal-budget.c

schedule_cppflags = -I$(top_srcdir)/seam $(AM_CPPFLAGS)
schedule_wrap = -Wl,--wrap=pthread_mutex_lock \
	-Wl,--wrap=pthread_mutex_trylock -Wl,--wrap=pthread_mutex_unlock \
	-Wl,--wrap=pthread_cond_wait -Wl,--wrap=pthread_cond_timedwait \
	-Wl,--wrap=pthread_cond_signal -Wl,--wrap=pthread_cond_broadcast \
	-Wl,--wrap=pthread_create -Wl,--wrap=pthread_join \
	-Wl,--wrap=pthread_key_create -Wl,--wrap=pthread_setspecific \
	-Wl,--wrap=clock_gettime -Wl,--wrap=sched_yield \
	-Wl,--wrap=membarrier_all

schedule_libscheduled_a_SOURCES = \
	schedule/filled.c schedule/filled.h \
	schedule/main.c \
	schedule/memory.c \
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
schedule_broken = schedule/skip-grace schedule/torn-push schedule/lost-wake \
	schedule/torn-take schedule/blind-claim schedule/hasty-destroy \
	schedule/hasty-refusal

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

# A chunk that is taken out whether or not more of it was carved meanwhile.
nodist_schedule_torn_take_SOURCES = schedule/torn-take-chunk.c
schedule_torn_take_SOURCES =
schedule_torn_take_CPPFLAGS = $(schedule_cppflags)
schedule_torn_take_LDFLAGS = $(schedule_wrap) $(schedule_main)
schedule_torn_take_LDADD = schedule/libscheduled.a

# A claim that does not look whether the owner is busy.
nodist_schedule_blind_claim_SOURCES = schedule/blind-claim-claim.c
schedule_blind_claim_SOURCES =
schedule_blind_claim_CPPFLAGS = $(schedule_cppflags)
schedule_blind_claim_LDFLAGS = $(schedule_wrap) $(schedule_main)
schedule_blind_claim_LDADD = schedule/libscheduled.a

# A destroy that does not wait for the helper.
nodist_schedule_hasty_destroy_SOURCES = schedule/hasty-destroy-decay.c
schedule_hasty_destroy_SOURCES =
schedule_hasty_destroy_CPPFLAGS = $(schedule_cppflags)
schedule_hasty_destroy_LDFLAGS = $(schedule_wrap) $(schedule_main)
schedule_hasty_destroy_LDADD = schedule/libscheduled.a

# A refusal on account of a charge that comes to nothing.
nodist_schedule_hasty_refusal_SOURCES = schedule/hasty-refusal-budget.c
schedule_hasty_refusal_SOURCES =
schedule_hasty_refusal_CPPFLAGS = $(schedule_cppflags)
schedule_hasty_refusal_LDFLAGS = $(schedule_wrap) $(schedule_main)
schedule_hasty_refusal_LDADD = schedule/libscheduled.a

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

schedule/torn-take-chunk.c: lib/chunk.c schedule/$(am__dirstamp)
	sed 's/if (!cas_strong_relaxed(&chunk->carved, &carved, chunk->page_count))/store_relaxed(\&chunk->carved, chunk->page_count);\
	if (!carved)/' \
		$(srcdir)/lib/chunk.c >$@.new
	! cmp -s $(srcdir)/lib/chunk.c $@.new
	mv $@.new $@

schedule/blind-claim-claim.c: lib/claim.c schedule/$(am__dirstamp)
	sed 's/return !load_acquire(&owner->busy) &&$$/return/' \
		$(srcdir)/lib/claim.c >$@.new
	! cmp -s $(srcdir)/lib/claim.c $@.new
	mv $@.new $@

schedule/hasty-destroy-decay.c: lib/decay.c schedule/$(am__dirstamp)
	sed 's/while (pool->held)/while (0 \&\& pool->held)/' \
		$(srcdir)/lib/decay.c >$@.new
	! cmp -s $(srcdir)/lib/decay.c $@.new
	mv $@.new $@

schedule/hasty-refusal-budget.c: lib/budget.c schedule/$(am__dirstamp)
	sed 's/} else if (may_have_room(budget, size)) {/} else if (0 \&\& may_have_room(budget, size)) {/' \
		$(srcdir)/lib/budget.c >$@.new
	! cmp -s $(srcdir)/lib/budget.c $@.new
	mv $@.new $@

.PHONY: schedules
schedules: schedule/schedules
	schedule/schedules --seeds $(SCHEDULE_SEEDS)
