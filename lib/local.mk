acreincludedir = $(includedir)/acre
acreinclude_HEADERS = include/acre/acre.h include/acre/allocator.h

# The library's objects, once: libacre is them with an export list, tests of
# the inner rooms link them as they are.
core_sources = \
	lib/allocator.c \
	lib/atomic.h \
	lib/cache.c lib/cache.h \
	lib/chunk.c lib/chunk.h \
	lib/descriptor.c lib/descriptor.h \
	lib/freelist.c lib/freelist.h \
	lib/grace.c lib/grace.h \
	lib/helper.c lib/helper.h \
	lib/options.c lib/options.h \
	lib/block.h \
	lib/pool.c lib/pool.h \
	lib/probe.h \
	lib/rcu.h \
	lib/region.c lib/region.h \
	lib/sanitizer.h \
	lib/stats.c \
	lib/text.c

noinst_LTLIBRARIES += libcore.la
libcore_la_SOURCES = $(core_sources)
# Two stores are cheaper than one vector of two put together.
libcore_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -fno-tree-slp-vectorize
libcore_la_LIBADD = $(URCU_LIBS)

lib_LTLIBRARIES = libacre.la
libacre_la_SOURCES =
libacre_la_LIBADD = libcore.la
libacre_la_LDFLAGS = -version-info 0:0:0 -no-undefined \
	-export-symbols $(srcdir)/lib/acre.sym -Wl,-z,nodelete
libacre_la_DEPENDENCIES = libcore.la lib/acre.sym
EXTRA_DIST += lib/acre.sym
