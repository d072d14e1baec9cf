# Checks of the tests and of the code that are not tests: each in a folder of
# its own, none of them a part of make check. See doc/verification.md.

# How many mutants, drawn with which seed; 0: all of them, which takes hours.
MUTATE_COUNT = 40
MUTATE_SEED = 1

EXTRA_DIST += \
	verify/analyze.sh \
	verify/coverage.h \
	verify/coverage.sh \
	verify/cross.sh \
	verify/mutate.py \
	verify/suppressed \
	verify/survivors \
	verify/unreached \
	verify/unreached.py

.PHONY: coverage mutate analyze cross

coverage:
	mkdir -p build-coverage
	$(MAKE) distdir=build-coverage/source distdir
	MAKE='$(MAKE)' $(SHELL) $(srcdir)/verify/coverage.sh

mutate:
	mkdir -p build-mutate
	$(MAKE) distdir=build-mutate/source distdir
	cd build-mutate && { test -f config.status || \
		./source/configure --disable-shared CC=gcc CFLAGS='-O1 -g'; }
	cd build-mutate && $(MAKE) check TESTS=
	python3 $(srcdir)/verify/mutate.py build-mutate/source build-mutate \
		$(MUTATE_COUNT) $(MUTATE_SEED)

analyze: $(check_PROGRAMS)
	CPPFLAGS='$(URCU_CFLAGS)' \
		$(SHELL) $(srcdir)/verify/analyze.sh '$(srcdir)'

cross:
	$(SHELL) $(srcdir)/verify/cross.sh '$(srcdir)'
