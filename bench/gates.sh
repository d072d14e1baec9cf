#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gates.sh - what the gates of bench/gates say of a run.
#
#	gates.sh FILE...
#
# The files are what the parts of a run have written: the results of
# bench/bench, the tables of instructions.sh and of bench/sharing. A gate is
#
#	met		a number that counts is within it
#	missed		a number that counts is not
#	does not count	a third of the windows were disturbed, or there is none
#
# The last line has the totals. Exit status: 0; 1 when a gate is missed; 2
# usage; 3 when none is missed but some do not count.

gates=$(dirname "$0")/gates

[ $# -gt 0 ] || {
	echo "usage: gates.sh FILE..." >&2
	exit 2
}

awk -v gates="$gates" '
	BEGIN {
		while ((getline line < gates) > 0)
			if (split(line, field, " ") == 2 && line !~ /^#/) {
				names[++n] = field[1]
				gate[field[1]] = field[2]
			}
		FS = "\t"
	}

	function measured(name, number, counts) {
		if (number == "" || number == "nan" || number == "-")
			return
		value[name] = number
		valid[name] = counts
	}

	# bench --results
	NF == 4 && $1 == "run" { run_counts = $4 == "counts" }
	NF == 12 && $3 == "acre" {
		if ($2 <= 2 && !($1 in seen))
			measured("time:" $1, $5, $12 == "counts")
		seen[$1] = 1
		if ($2 == 2)
			measured("gain:" $1, $8, $12 == "counts")
		# Memory is not disturbed by others.
		measured("resident:" $1, $9, 1)
	}

	# A table of instructions.sh or sharing: | name | number | ... |
	/^\|/ {
		split($0, cell, / *\| */)
		if (cell[2] in table)
			measured(table[cell[2]], cell[3], 1)
	}

	BEGIN {
		table["acre_alloc, inlined, any size"] = "alloc"
		table["acre_region_open and _close, empty"] = "open+close"
		table["conditional branches in acre_alloc"] = "branches"
		table["their ratio"] = "close-ratio"
		table["most of all, per page through the pool"] = "rmw:pool"
		table["own regions, per region"] = "rmw:own"
	}

	function verdict(name) {
		if (!(name in value))
			return "does not count"
		if (name ~ /^(time|gain):/ && !(valid[name] && run_counts))
			return "does not count"
		if (name ~ /^gain:/)
			holds = value[name] >= gate[name]
		else
			holds = value[name] <= gate[name] + 0.0499 * (name !~ /:/)
		return holds ? "met" : "missed"
	}

	END {
		print "| gate | | measured | |"
		print "|---|--:|--:|---|"
		for (i = 1; i <= n; i++) {
			name = names[i]
			said = verdict(name)
			total[said]++
			printf "| %s | %s %s | %s | %s |\n", name,
				name ~ /^gain:/ ? "at least" : "at most",
				gate[name], name in value ? value[name] : "-", said
		}
		printf "\ngates: %d met, %d missed, %d do not count\n",
			total["met"], total["missed"], total["does not count"]
		exit total["missed"] ? 1 : total["does not count"] ? 3 : 0
	}
' "$@"
