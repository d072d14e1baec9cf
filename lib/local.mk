acreincludedir = $(includedir)/acre
acreinclude_HEADERS = include/acre/acre.h include/acre/allocator.h \
	include/acre/array.h
acrebridgedir = $(acreincludedir)/bridge
acrebridge_HEADERS = \
	include/acre/bridge/jemalloc.h \
	include/acre/bridge/mimalloc.h

lib_LTLIBRARIES = libacre.la
libacre_la_SOURCES = \
	lib/alloc.c \
	lib/allocator.c \
	lib/array.c \
	lib/atomic.h \
	lib/block.h \
	lib/budget.c lib/budget.h \
	lib/cache.c lib/cache.h \
	lib/chunk.c lib/chunk.h \
	lib/claim.c lib/claim.h \
	lib/cleanup.c \
	lib/clock.h \
	lib/decay.c lib/decay.h \
	lib/descriptor.c lib/descriptor.h \
	lib/fork.c lib/fork.h \
	lib/freelist.c lib/freelist.h \
	lib/grace.c lib/grace.h \
	lib/grow.c \
	lib/helper.c lib/helper.h \
	lib/large.c \
	lib/learn.c \
	lib/limit.c lib/limit.h \
	lib/mark.c \
	lib/member.c lib/member.h \
	lib/membarrier.c lib/membarrier.h \
	lib/mmap.c \
	lib/options.c lib/options.h \
	lib/pool.c lib/pool.h \
	lib/pools.c \
	lib/probe.h \
	lib/rcu.h \
	lib/region.c lib/region.h \
	lib/region_allocator.c \
	lib/retire.c lib/retire.h \
	lib/sanitizer.h \
	lib/sizes.h \
	lib/source.c lib/source.h \
	lib/stats.c \
	lib/store.c lib/store.h \
	lib/table.c \
	lib/text.c \
	lib/thread.c \
	lib/trim.c lib/trim.h

# Two stores are cheaper than one vector of two put together.
libacre_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -fno-tree-slp-vectorize
libacre_la_LIBADD = $(URCU_LIBS)
libacre_la_LDFLAGS = -version-info 0:0:0 -no-undefined \
	-export-symbols $(srcdir)/lib/acre.sym -Wl,-z,nodelete
EXTRA_libacre_la_DEPENDENCIES = lib/acre.sym
EXTRA_DIST += lib/acre.sym
