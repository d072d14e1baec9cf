# Weak memory: lib/'s own code in every interleaving and reordering that C11
# allows, as it is and with each order weakened. `make model-memory` takes some
# minutes; needs a compiler that knows -fsanitize=thread.

EXTRA_LIBRARIES += explore/libexplore.a
EXTRA_PROGRAMS += explore/lists explore/helper
CLEANFILES += explore/helper-short.c explore/lists explore/helper \
	explore/libexplore.a

explore_libexplore_a_SOURCES = \
	explore/engine.h \
	explore/explore.c explore/explore.h \
	explore/fibre.c explore/fibre.h \
	explore/main.c \
	explore/memory.c \
	explore/order.c \
	explore/orders.h \
	explore/race.c \
	explore/rcu.c \
	explore/steps.c \
	explore/thread.c \
	$(seam_headers)

# lib/ as it is, behind the seam; compiled for race.c, but not linked with
# ThreadSanitizer.
explore_cppflags = -I$(top_srcdir)/seam $(AM_CPPFLAGS) -fsanitize=thread
explore_wrap = -Wl,--wrap=pthread_mutex_init \
	-Wl,--wrap=pthread_mutex_destroy -Wl,--wrap=pthread_mutex_lock \
	-Wl,--wrap=pthread_mutex_trylock -Wl,--wrap=pthread_mutex_unlock \
	-Wl,--wrap=pthread_cond_init -Wl,--wrap=pthread_cond_wait \
	-Wl,--wrap=pthread_cond_timedwait -Wl,--wrap=pthread_cond_signal \
	-Wl,--wrap=pthread_cond_broadcast -Wl,--wrap=pthread_create \
	-Wl,--wrap=pthread_join -Wl,--wrap=pthread_detach \
	-Wl,--wrap=pthread_setname_np -Wl,--wrap=pthread_sigmask \
	-Wl,--wrap=clock_gettime -Wl,--wrap=aligned_alloc -Wl,--wrap=free

explore_lists_SOURCES = explore/lists.c lib/descriptor.c lib/freelist.c \
	lib/grace.c
explore_lists_CPPFLAGS = $(explore_cppflags)
explore_lists_LDFLAGS = $(explore_wrap)
explore_lists_LDADD = explore/libexplore.a

# Quiet ticks before the helper sleeps are all the same: one of them.
explore_helper_SOURCES = explore/helper.c lib/grace.c
nodist_explore_helper_SOURCES = explore/helper-short.c
explore_helper_CPPFLAGS = $(explore_cppflags)
explore_helper_LDFLAGS = $(explore_wrap)
explore_helper_LDADD = explore/libexplore.a

explore/helper-short.c: lib/helper.c explore/$(am__dirstamp)
	sed 's/^#define QUIET_TICKS .*/#define QUIET_TICKS 1/' \
		$(srcdir)/lib/helper.c >$@
	grep -q '^#define QUIET_TICKS 1$$' $@

.PHONY: model-memory
model-memory: explore/lists explore/helper
	explore/lists
	explore/helper
