#!/bin/sh
# SPDX-License-Identifier: MIT
#
# array_instructions.sh - how many instructions an int costs in each way to
# have an array. Run in the build's top folder.
#
# Counts come from callgrind: the difference of a program that does its work
# twice and one that does it once; start-up is in both.
#
# Exit status: 0, also without valgrind, which is said; 2 usage.
set -eu

ints=1000000

[ $# = 0 ] || { echo "usage: array_instructions.sh" >&2; exit 2; }
command -v valgrind >/dev/null || {
	echo "array_instructions: skipped: no valgrind"
	exit 0
}

# collected WORKLOAD PEER TIMES
collected() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		bench/array_bench "$@" 2>&1 |
		sed -n 's/^==[0-9]*== Collected : *//p'
}

# per_int WORKLOAD PEER: with one digit; or "-".
per_int() {
	echo "$(collected "$@" 2) $(collected "$@" 1)" | awk -v n=$ints '
		NF == 2 { printf "%.1f\n", ($1 - $2) / n }
		NF != 2 { print "-" }'
}

echo "| instructions per int | push | call | filter, map, fold |"
echo "|---|--:|--:|--:|"
peer=0
bench/array_bench --peers | while read -r name; do
	peer=$((peer + 1))
	echo "| $name | $(per_int push $peer) | $(per_int call $peer) |" \
		"$(per_int chain $peer) |"
done
