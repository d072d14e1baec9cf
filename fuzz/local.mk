# fuzz's part of the Makefile: strings of bytes as sequences of calls. `make
# check` replays the corpus; `make fuzz` looks for more with libFuzzer and
# AFL++, FUZZ_SECONDS each. See doc/verification.md.

FUZZ_SECONDS = 60

fuzz_target = fuzz/target.c \
	fuzz/actors.c fuzz/actors.h \
	fuzz/budgets.c fuzz/budgets.h \
	fuzz/input.c fuzz/input.h \
	fuzz/model.c fuzz/model.h \
	fuzz/objects.c fuzz/regions.c fuzz/calls.h \
	fuzz/pools.c fuzz/pools.h \
	fuzz/readers.c fuzz/readers.h

check_PROGRAMS += fuzz/replay
TESTS += fuzz/replay.sh
EXTRA_DIST += fuzz/replay.sh fuzz/run.sh fuzz/corpus

fuzz_replay_SOURCES = fuzz/replay.c $(fuzz_target)
fuzz_replay_LDADD = libacre.la $(URCU_LIBS)
fuzz_replay_LDFLAGS = -static

.PHONY: fuzz
fuzz:
	CPPFLAGS='$(URCU_CFLAGS)' LIBS='$(URCU_LIBS)' \
		$(SHELL) $(srcdir)/fuzz/run.sh '$(srcdir)' $(FUZZ_SECONDS)
