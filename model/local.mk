# model's part of the Makefile: the algorithms as spin's models. See
# doc/verification.md. Nothing of it is built or run by make all and make check.

EXTRA_DIST += \
	model/exit.pml \
	model/freelist.pml \
	model/idle.pml \
	model/retire.pml \
	model/run.sh \
	model/trim.pml

.PHONY: model model-short

model:
	CC='$(CC)' $(srcdir)/model/run.sh

model-short:
	CC='$(CC)' $(srcdir)/model/run.sh --short

clean-local:
	rm -rf model.out
