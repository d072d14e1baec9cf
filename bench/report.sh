#!/bin/sh
# SPDX-License-Identifier: MIT
#
# report.sh - charts and one self-contained HTML file of a run.
#
#	report.sh FOLDER [png]
#
# The folder is what run.sh has left. Without gnuplot there are no charts,
# which is said. Exit status: 0; 1 when a chart cannot be drawn; 2 usage.

here=$(dirname "$0")
out=$1
kind=${2:-svg}
[ -d "$out" ] || {
	echo "usage: report.sh FOLDER [png]" >&2
	exit 2
}

# rows "WORKLOAD THREADS" COLUMN FILE: each peer and its column, if it has one,
# the least first.
rows() {
	awk -F '\t' -v column="$2" '
		$1 " " $2 == workload && $column != "nan" &&
		($3 != "limit" || column != 5) { print $3, $column }' workload="$1" \
		"$out/results.tsv" | sort -k 2g >"$out/$3.dat"
}

# counts WORKLOAD MODE FILE: read-modify-writes a page, by threads.
counts() {
	awk -F '\t' -v workload="$1" -v mode="$2" '
		$1 == "what ships" && $2 == workload && $3 == mode {
			print $4, $6 }' "$out/sharing.tsv" >"$out/$3.dat"
}

# model DESIGN WORKLOAD FILE: throughput by cores.
model() {
	awk -F '\t' -v design="$1" -v workload="$2" '
		$1 == design && $2 == workload && $3 == "in turn" {
			print $4, $11 }' "$out/sharing.tsv" >"$out/$3.dat"
}

sort_data() {
	for w in tiny typical heavy long; do
		rows "$w 1" 5 $w
	done
	rows "handoff 2" 5 handoff
	rows "p99 2" 5 p99
	rows "regions 1" 9 memory
	rows "typical 2" 8 threads
	for w in handoff phase; do
		counts $w "in turn" sharing-$w-turn
		counts $w "in step" sharing-$w-step
	done
	for w in own handoff phase; do
		model "what ships" $w model-ships-$w
		model "caches, one list" $w model-caches-$w
		model "shards, no caches" $w model-shards-$w
		model "one list, no caches" $w model-list-$w
	done
}

# A table is a table, a line that begins with # a heading, the rest lines.
to_html() {
	awk '
		function text(s) {
			gsub(/&/, "\\&amp;", s)
			gsub(/</, "\\&lt;", s)
			return s
		}
		/^\|[-:|]+$/ { next }
		/^\|/ {
			cell = in_table ? "td" : "th"
			if (!in_table)
				print "<table>"
			in_table = 1
			line = text($0)
			sub(/^\| */, "<tr><" cell ">", line)
			sub(/ *\|$/, "</" cell "></tr>", line)
			gsub(/ *\| */, "</" cell "><" cell ">", line)
			print line
			next
		}
		in_table { print "</table>"; in_table = 0 }
		/./ { print "<p>" text($0) "</p>" }
		END { if (in_table) print "</table>" }' "$1"
}

# section TITLE FILE [CHART...]
section() {
	echo "<h2>$1</h2>"
	file=$2
	shift 2
	for chart; do
		[ -f "$out/$chart.svg" ] || continue
		echo "<figure>"
		sed '/^<?xml/d; /^<!DOCTYPE/,/>$/d' "$out/$chart.svg"
		echo "</figure>"
	done
	[ ! -f "$out/$file" ] || to_html "$out/$file"
}

page() {
	cat <<-END
	<!DOCTYPE html>
	<html lang="en">
	<meta charset="utf-8">
	<title>acre: benchmarks</title>
	<style>
	body { font: 15px/1.5 sans-serif; max-width: 70em; margin: 2em auto }
	table { border-collapse: collapse; font-size: 13px }
	td, th { border-bottom: 1px solid #ddd; padding: 2px 8px }
	td { text-align: right }
	td:first-child, th { text-align: left }
	figure { margin: 1em 0 }
	svg { max-width: 100%; height: auto }
	</style>
	<h1>acre: benchmarks</h1>
	<p>What a request does and how it is measured is in
	doc/benchmarks.md; what threads share, and the model, in
	doc/scale.md.</p>
	END
	section "Gates" gates.md
	section "Times" times.md ratios threads memory
	section "What threads share" sharing.md sharing throughput
	section "Instructions" instructions.md
	section "Budgets" budget.md
	echo "</html>"
}

sort_data
note=
if grep -q '^run.*disturbed$' "$out/results.tsv"; then
	note='; a disturbed run'
fi
if command -v gnuplot >/dev/null; then
	gnuplot -e "dir='$out'; kind='$kind'; note='$note'" "$here/charts.gp" || exit 1
else
	echo "report.sh: no gnuplot, so no charts" >&2
fi
[ "$kind" != svg ] || page >"$out/index.html"
rm -f "$out"/*.dat
