# Weak memory: lib/'s own code in every interleaving and reordering that C11
# allows, as it is and with each order weakened. `make model-memory` takes some
# minutes; needs a compiler that knows -fsanitize=thread.

EXTRA_LIBRARIES += explore/libexplore.a
EXTRA_PROGRAMS += explore/claim explore/lists explore/helper explore/retire
CLEANFILES += explore/claim explore/helper-short.c explore/lists \
	explore/helper explore/libexplore.a explore/moved/lib/cache.h \
	explore/moved/thread.c explore/retire

explore_libexplore_a_SOURCES = \
	explore/engine.h \
	explore/explore.c explore/explore.h \
	explore/fibre.c explore/fibre.h \
	explore/main.c \
	explore/membarrier.c \
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
	-Wl,--wrap=pthread_key_create -Wl,--wrap=pthread_setspecific \
	-Wl,--wrap=clock_gettime -Wl,--wrap=aligned_alloc \
	-Wl,--wrap=calloc -Wl,--wrap=free

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

# Threads' words are where all can have some: see explore/claim.c.
explore_claim_SOURCES = explore/claim.c lib/claim.c
nodist_explore_claim_SOURCES = explore/moved/thread.c
explore_claim_CPPFLAGS = -iquote explore/moved $(explore_cppflags)
explore_claim_LDFLAGS = $(explore_wrap)
explore_claim_LDADD = explore/libexplore.a

move_words = -e 's/&thread_caches\b/my_caches()/g' \
	-e '/^_Thread_local struct thread_caches/d'

explore/moved/lib/cache.h: lib/cache.h
	mkdir -p explore/moved/lib
	sed -e 's/\bthread_caches\./my_caches()->/g' \
		-e 's/^extern _Thread_local struct thread_caches thread_caches$$/struct thread_caches *my_caches(void);/' \
		-e '/^	__attribute__((tls_model/d' $(move_words) \
		$(srcdir)/lib/cache.h >$@
	! grep 'thread_caches[.;]' $@

explore/moved/thread.c: lib/thread.c
	mkdir -p explore/moved/lib
	sed -e 's/\bthread_caches\./my_caches()->/g' $(move_words) \
		$(srcdir)/lib/thread.c >$@
	! grep 'thread_caches[.;]' $@

explore_retire_SOURCES = explore/retire.c lib/grace.c lib/retire.c
explore_retire_CPPFLAGS = $(explore_cppflags)
explore_retire_LDFLAGS = $(explore_wrap)
explore_retire_LDADD = explore/libexplore.a

$(explore_claim_OBJECTS): explore/moved/lib/cache.h

.PHONY: model-memory
model-memory: explore/claim explore/lists explore/helper explore/retire
	explore/claim
	explore/lists
	explore/helper
	explore/retire
