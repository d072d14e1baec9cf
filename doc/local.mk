# doc's part of the Makefile: what a release has in doc/.

EXTRA_DIST += \
	doc/arrays.md \
	doc/benchmarks.md \
	doc/charts/memory.svg \
	doc/charts/ratios.svg \
	doc/charts/sharing.svg \
	doc/charts/threads.svg \
	doc/charts/throughput.svg \
	doc/decisions/0001-descriptors-wait-not-pages.md \
	doc/decisions/0002-fresh-chunk-carved-in-place.md \
	doc/decisions/0003-grace-periods-have-numbers.md \
	doc/decisions/0004-a-helper-that-ticks.md \
	doc/decisions/0005-stashes-and-a-depot.md \
	doc/decisions/0006-a-cache-is-two-chains.md \
	doc/decisions/0007-region-bytes-are-derived.md \
	doc/decisions/0008-metadata-comes-from-malloc.md \
	doc/decisions/0009-a-close-cannot-fail.md \
	doc/decisions/0010-bytes-of-slack.md \
	doc/decisions/0011-shards-by-number-of-threads.md \
	doc/decisions/0012-liburcu-is-called-not-inlined.md \
	doc/decisions/0013-regions-learn-and-grow-by-an-eighth.md \
	doc/decisions/0014-chains-in-the-order-of-taking.md \
	doc/decisions/0015-a-large-region-closes-as-a-bundle.md \
	doc/decisions/0016-retired-regions-wait-in-bags.md \
	doc/decisions/0017-a-forks-child-may-go-on.md \
	doc/decisions/0018-a-refill-takes-two-batches.md \
	doc/decisions/0019-typed-arrays.md \
	doc/decisions/0020-budgets.md \
	doc/decisions/0021-a-large-region-stays-with-its-thread.md \
	doc/decisions/0022-who-comes-again-takes-more.md \
	doc/decisions/0023-interleavings-through-the-doors.md \
	doc/decisions/0024-idle-caches-are-claimed.md \
	doc/decisions/0025-trim-sorts-by-chunk.md \
	doc/decisions/0026-decay-in-eight-steps.md \
	doc/decisions/0027-what-is-tried-before-enomem.md \
	doc/decisions/0028-what-an-empty-region-costs.md \
	doc/decisions/0029-what-open-regions-hold.md \
	doc/decisions/0030-a-megabytes-region-grows-by-four.md \
	doc/design.md \
	doc/limits.md \
	doc/scale.md \
	doc/verification.md
