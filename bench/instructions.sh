#!/bin/sh
# SPDX-License-Identifier: MIT
#
# instructions.sh - how many instructions acre's calls cost, and their gates.
#
#	instructions.sh			the whole table, some 20 seconds
#	instructions.sh --gates		only what has a gate; for make check
#
# Run in the build's top folder. Counts come from callgrind: a program runs N
# and 2N requests, and the difference over N is the cost of one; start-up is
# in both. The difference of two such loops is the cost of a call. The
# branches are read off the disassembly of an acre_alloc on its own.
#
# Exit status: 0; 1 when a gate is exceeded; 2 usage; 77 (skipped) when
# valgrind or objdump is missing or the build is not one that gates are for.

gates=$(dirname "$0")/gates
objects=60 # in a region of bench/count.c
n=1000

case $#:$1 in
0:) brief=no ;;
1:--gates) brief=yes ;;
*)
	echo "usage: instructions.sh [--gates]" >&2
	exit 2
	;;
esac

skip() {
	echo "instructions: skipped: $1"
	exit 77
}

# collected [OPTION] PROGRAM ARGUMENT...: all instructions of one run; or nothing, as
# when valgrind cannot read the compiler's debugging information.
collected() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 |
		sed -n 's/^==[0-9]*== Collected : *//p'
}

# per_request PROGRAM ARGUMENT...: of one request, with its loop; or "-".
per_request() {
	echo "$(collected "$@" $n) $(collected "$@" $((2 * n)))" | awk -v n=$n '
		NF == 2 { printf "%.1f\n", ($2 - $1) / n }
		NF != 2 { print "-" }'
}

# per_call PROGRAM LOOP EMPTY_LOOP CALLS: of one call; or "-".
per_call() {
	echo "$(per_request "$1" "$2") $(per_request "$1" "$3") $4" | awk '
		/-/ { print "-"; next }
		{ printf "%.1f\n", ($1 - $2) / $3 }'
}

# per_close LOOP N: of one close, in a run of N and one of 2N; or "-".
per_close() {
	close=--toggle-collect=acre_region_close
	echo "$(collected $close bench/count "$1" "$2")" \
		"$(collected $close bench/count "$1" $((2 * $2)))" |
		awk -v n="$2" '
		NF == 2 { printf "%.1f\n", ($2 - $1) / n }
		NF != 2 { print "-" }'
}

# quotient A B
quotient() {
	awk -v a="$1" -v b="$2" 'BEGIN {
		if (a == "-" || b == "-" || b == 0) print "-"
		else printf "%.2f\n", a / b }'
}

conditional_branches() {
	objdump -d --no-show-raw-insn --disassemble=count_alone bench/count |
		awk '$2 ~ /^j/ && $2 !~ /^jmp/ { n++ } END { print n + 0 }'
}

gate() {
	awk -v name="$1" '$1 == name { print $2 }' "$gates"
}

status=0

# row NAME TEXT STATIC [SHARED]
row() {
	gate=$(gate "$1")
	verdict=
	if [ -n "$gate" ]; then
		verdict=$(echo "$3 $gate" | awk '{
			print ($1 > $2 + 0.05) ? "EXCEEDED" : "ok" }')
	fi
	[ "$verdict" != EXCEEDED ] || status=1
	echo "| $2 | $3 | ${4:--} | ${gate:--} | $verdict |"
}

gated_rows() {
	row alloc "acre_alloc, inlined, any size" "$alloc" "$1"
	row open+close "acre_region_open and _close, empty" "$empty" "$2"
	row branches "conditional branches in acre_alloc" \
		"$(conditional_branches)"
	one=$(per_close empty $n)
	long=$(per_close long 3)
	row close1 "acre_region_close of one page" "$one"
	row close "the same of 100,000 pages" "$long"
	row close-ratio "their ratio" "$(quotient "$long" "$one")"
}

# The others are for information.
other_rows() {
	row zalloc "acre_zalloc, 64 bytes" \
		"$(per_call bench/count zalloc sizes $objects)" \
		"$(per_call bench/count_shared zalloc sizes $objects)"
	for request in tiny typical; do
		row $request "$request request, with its writes" \
			"$(per_request bench/peer_acre $request 1)" \
			"$(per_request bench/peer_acre_shared $request 1)"
		row $request "the same in the limit" \
			"$(per_request bench/peer_limit $request 1)"
	done
	for depth in 0 1 2 4; do
		case $depth in
		0) budget="no budget" ;;
		*) budget="a budget with $((depth - 1)) ancestors" ;;
		esac
		row budget "a block of 16 KiB and back, $budget" \
			"$(per_request bench/budget block $depth)"
		row budget "a region opened and closed, $budget" \
			"$(per_request bench/budget region $depth)"
	done
}

command -v valgrind >/dev/null || skip "no valgrind"
command -v objdump >/dev/null || skip "no objdump"
build=$(bench/count build) || exit 1
[ "$build" = plain ] || skip "this build is $build"
if ldd bench/count | grep -q libacre; then
	skip "there is no static library to count"
fi
alloc=$(per_call bench/count alloc sizes $objects)
empty=$(per_call bench/count empty nothing 1)
case "$alloc $empty" in
*-*) skip "valgrind cannot run bench/count" ;;
esac

echo "| instructions | static | shared | gate | |"
echo "|---|--:|--:|--:|---|"
if [ $brief = yes ]; then
	gated_rows
else
	gated_rows "$(per_call bench/count_shared alloc sizes $objects)" \
		"$(per_call bench/count_shared empty nothing 1)"
	other_rows
fi
[ $status = 0 ] || echo "instructions: a gate of $gates is exceeded" >&2
exit $status
