#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gates_test.sh - gates.sh says met, missed or does not count as it should.

tab=$(printf '\t')
fails=0
gates=${srcdir:-.}/bench/gates.sh

# Without its numbers' names: the results of a run, of which one is acre's time
# of the typical request.
results() {
	printf '%s\n' "typical 1 acre 90 $1 1 1 nan nan 1 21 $2" \
		"typical 2 acre 95 1.1 1 1 $3 nan 1 21 counts" \
		"run 3 63 $4" | tr ' ' "$tab"
}

# expect TEXT GATE VERDICT RATIO ROW GAIN RUN
expect() {
	said=$(results "$4" "$5" "$6" "$7" |
		"$gates" /dev/stdin |
		awk -F ' *[|] *' -v gate="$2" '$2 == gate { print $5 }')
	if [ "$said" != "$3" ]; then
		echo "$1: said $said, not $3"
		fails=1
	fi
}

expect "below the gate" time:typical met 1.04 counts 1.95 counts
expect "above the gate" time:typical missed 1.26 counts 1.95 counts
no="does not count"
expect "a disturbed row" time:typical "$no" 1.04 disturbed 1.95 counts
expect "a disturbed run" time:typical "$no" 1.04 counts 1.95 disturbed
expect "two threads" gain:typical met 1.04 counts 1.95 counts
expect "two that are slower" gain:typical missed 1.04 counts 1.89 counts
expect "nothing measured" time:heavy "$no" 1.04 counts 1.95 counts
exit $fails
