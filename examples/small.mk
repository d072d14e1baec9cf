# The small examples' part of the Makefile: one file each, built and run by
# make check, which compares what they print with NAME.expected.

small_examples = \
	examples/children \
	examples/connection \
	examples/log \
	examples/queue \
	examples/request \
	examples/routes \
	examples/tenants
if HAVE_BROTLI
small_examples += examples/library
endif

expected = \
	examples/children.expected \
	examples/connection.expected \
	examples/library.expected \
	examples/log.expected \
	examples/queue.expected \
	examples/request.expected \
	examples/routes.expected \
	examples/tenants.expected

check_PROGRAMS += $(small_examples)
TESTS += $(expected)
TEST_EXTENSIONS = .expected
EXPECTED_LOG_COMPILER = $(SHELL) $(srcdir)/tests/examples_test.sh
EXTRA_DIST += $(expected) tests/examples_test.sh

examples_children_LDADD = libacre.la
examples_connection_LDADD = libacre.la
examples_library_CFLAGS = $(AM_CFLAGS) $(BROTLI_CFLAGS)
examples_library_LDADD = libacre.la $(BROTLI_LIBS)
examples_log_LDADD = libacre.la
examples_queue_LDADD = libacre.la
examples_request_LDADD = libacre.la
examples_routes_LDADD = libacre.la $(URCU_LIBS)
examples_tenants_LDADD = libacre.la
