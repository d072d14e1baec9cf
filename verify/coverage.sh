#!/bin/sh
# Lines and branches of lib/ that the tests run, and which they do not.
#
#   coverage.sh       in build-coverage, which holds a copy of the sources as
#                     folder `source`
#
# Called by `make coverage`. A line that cannot be reached in a test says so
# in verify/unreached, with the reason; another that is not run is an error.
set -eu

command -v gcovr >/dev/null || { echo 'coverage.sh: no gcovr' >&2; exit 2; }

cd build-coverage
# gcov's own fork forgets what handlers of forks have run in the child.
[ -f config.status ] || ./source/configure --disable-shared CC=gcc CXX=g++ \
	CFLAGS="-O0 -g --coverage -fprofile-update=atomic -fno-builtin-fork \
		-include $PWD/source/verify/coverage.h" \
	CXXFLAGS='-O0 -g' LDFLAGS=--coverage
find . -name '*.gcda' -exec rm -f {} +
# Counting is slow.
export CK_TIMEOUT_MULTIPLIER=10
"${MAKE:-make}" -j2 check >check.log 2>&1 || { tail -n 40 check.log; exit 1; }

# Where a child was made while others counted, gcov has a branch taken -1 times.
gcovr --root source --filter source/lib/ --object-directory . \
	--gcov-ignore-parse-errors --json lines.json 2>gcovr.log || { tail -n 5 gcovr.log; exit 1; }
python3 source/verify/unreached.py lines.json source/lib \
	source/verify/unreached
