# The demo server, and clients that want too much; `quickstart` runs them. Linked with acre's objects in it, so
# that it is one program that can be started, and measured, where it stands.

EXTRA_DIST += examples/demo.sh examples/order.lua

if HAVE_HTTPD
noinst_PROGRAMS += examples/httpd examples/hogs
endif

examples_httpd_SOURCES = \
	examples/httpd.c \
	examples/httpd_answer.c examples/httpd_answer.h \
	examples/httpd_export.c examples/httpd_export.h \
	examples/httpd_json.c examples/httpd_json.h \
	examples/httpd_memory.c examples/httpd_memory.h \
	examples/httpd_options.c examples/httpd_options.h \
	examples/httpd_order.c examples/httpd_order.h \
	examples/httpd_page.c examples/httpd_page.h \
	examples/httpd_request.c examples/httpd_request.h \
	examples/httpd_stats.c examples/httpd_stats.h \
	examples/httpd_tenants.c examples/httpd_tenants.h
examples_httpd_CFLAGS = $(AM_CFLAGS) $(HTTPD_CFLAGS)
examples_httpd_LDFLAGS = -static
examples_httpd_LDADD = libacre.la $(HTTPD_LIBS)
