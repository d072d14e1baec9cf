#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - all benchmarks, one after the other, and what came of them.
#
#	run.sh [--quick] PROGRAM...
#
# Run in the build's top folder; the programs are the peers. Prints Markdown,
# and leaves in bench/report each part's table and numbers, the charts, and
# index.html, which has all of it in one file. With --quick: fewer workloads,
# no charts. BENCH_OPTIONS goes to bench/bench.
#
# Exit status: that of gates.sh, but 0 where some gates do not count; 1 when a
# part fails; 2 usage.

here=$(dirname "$0")
out=bench/report
quick=
if [ "$1" = --quick ]; then
	quick=--quick
	shift
fi
[ $# -gt 0 ] || {
	echo "usage: run.sh [--quick] PROGRAM..." >&2
	exit 2
}

# part FILE TITLE COMMAND...: run it, show and keep what it prints. 77: it had
# to be skipped, and said why.
part() {
	file=$out/$1
	printf '\n## %s\n\n' "$2"
	shift 2
	{
		"$@"
		echo $? >"$out/status"
	} | tee "$file"
	read -r part_status <"$out/status"
	case $part_status in
	0 | 77) ;;
	*)
		echo "run.sh: $1 ended with status $part_status" >&2
		failed=1
		;;
	esac
}

failed=0
rm -rf "$out" && mkdir -p "$out" || exit 1

# shellcheck disable=SC2086 # options are words
part times.md "Times" bench/bench $quick $BENCH_OPTIONS \
	--results "$out/results.tsv" "$@"
if [ -n "$quick" ]; then
	part instructions.md "Instructions" "$here/instructions.sh" --gates
	part sharing.md "What threads share" bench/sharing --gates
else
	part instructions.md "Instructions" "$here/instructions.sh"
	part sharing.md "What threads share" bench/sharing \
		--data "$out/sharing.tsv"
	part budget.md "Budgets" bench/budget
fi

printf '\n## Gates\n\n'
"$here/gates.sh" "$out/results.tsv" "$out/instructions.md" \
	"$out/sharing.md" >"$out/gates.md"
gates_status=$?
[ -n "$quick" ] || "$here/report.sh" "$out" || failed=1
cat "$out/gates.md"
[ $failed = 0 ] || exit 1
[ $gates_status = 3 ] || exit $gates_status
