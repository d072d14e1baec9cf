#!/bin/sh
# SPDX-License-Identifier: MIT
#
# thrice.sh - all gates, in three runs one after the other.
#
#	thrice.sh PROGRAM...
#
# Run in the build's top folder; the programs are the limit, acre and, as a
# witness, another peer. Counts are the same each time and are taken once. A
# run of which a gate does not count is made again, up to three times. Prints a
# line for each run and then what each gate measured in each; leaves it, and
# the runs' tables, in bench/thrice. BENCH_OPTIONS goes to bench/bench.
#
# Exit status: 0 when three runs met every gate; 1 when a gate was missed or a
# part fails; 2 usage; 3 when too many runs did not count.

here=$(dirname "$0")
out=bench/thrice
wanted=3
most=6
[ $# -gt 0 ] || {
	echo "usage: thrice.sh PROGRAM..." >&2
	exit 2
}

# count FILE COMMAND...: where it had to be skipped, its gates do not count.
count() {
	file=$out/$1
	shift
	"$@" >"$file"
	case $? in
	0 | 77) ;;
	*) exit 1 ;;
	esac
}

# run N PROGRAM...: says what came of it; status is that of gates.sh.
run() {
	result=$out/$1
	number=$1
	shift
	# shellcheck disable=SC2086 # options are words
	bench/bench $BENCH_OPTIONS --results "$result.tsv" "$@" \
		>"$result.md" || exit 1
	"$here/gates.sh" "$result.tsv" "$out/instructions.md" \
		"$out/sharing.md" >"$result.gates"
	status=$?
	echo "run $number: $(tail -n 1 "$result.md")" \
		"$(tail -n 1 "$result.gates")"
	return $status
}

# What each gate measured, a column for each run.
table() {
	awk -F ' *[|] *' '
		FNR == 1 { runs++ }
		NF > 5 && !/---/ && $2 != "gate" {
			if (!($2 in bound))
				names[++n] = $2
			bound[$2] = $3
			said[$2] = said[$2] " " $4 \
				($5 == "met" ? "" : ", " $5) " |"
		}
		END {
			head = "| gate | |"
			rule = "|---|--:|"
			for (i = 1; i <= runs; i++) {
				head = head " run " i " |"
				rule = rule "--:|"
			}
			print head "\n" rule
			for (i = 1; i <= n; i++)
				print "| " names[i] " | " bound[names[i]] \
					" |" said[names[i]]
		}' "$@"
}

rm -rf "$out" && mkdir -p "$out" || exit 1
count instructions.md "$here/instructions.sh" --gates
count sharing.md bench/sharing --gates
made=0
met=0
missed=0
while [ $made -lt $most ] && [ $((met + missed)) -lt $wanted ]; do
	made=$((made + 1))
	run $made "$@"
	case $? in
	0) met=$((met + 1)) ;;
	1) missed=$((missed + 1)) ;;
	esac
done
echo
table "$out"/*.gates | tee "$out/table.md"
printf '\n%s of %s runs that count met every gate.\n' $met $((met + missed))
[ $missed = 0 ] || exit 1
[ $met = $wanted ] || exit 3
