#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - explores the models, and the broken forms of each.
#
#	run.sh [--short] [MODEL]...	all, if none is named
#
# A model must have no violation in all its states; then each broken form that
# its first comment names, "-DNAME claim", must violate that claim. --short
# takes fewer calls, as the comment's "Short: -DNAME=N" says; broken forms are
# tried so in any case, and then with all calls. What spin made, and the trail
# of the last violation (`./pan -r`, in NAME/), are in model.out/ of the current
# folder.
#
# Exit status: 0; 1 when something is not as it must be; 2 usage; 77 (skipped)
# when spin or a C compiler is missing.

models=$(dirname "$0")
runs=model.out
memory=4000 # MB, at most
short=no
failed=0

usage() {
	echo "usage: run.sh [--short] [MODEL]..." >&2
	exit 2
}

skip() {
	echo "model: skipped: $1"
	exit 77
}

# make_pan FOLDER FILE CFLAG [-DNAME]...: an explorer of the model in FOLDER.
make_pan() {
	(
		folder=$1 file=$2 cflag=$3
		shift 3
		rm -rf "$folder" && mkdir -p "$folder" && cd "$folder" || exit
		cp "$file" model.pml
		spin -a "$@" model.pml &&
			${CC:-cc} -w -O2 -DCOLLAPSE -DMEMLIM=$memory "$cflag" \
				-o pan pan.c
	) >"$1.log" 2>&1
}

# explore FOLDER [OPTION]...
explore() {
	(
		cd "$1" || exit
		shift
		./pan -m1000000 "$@"
	) >>"$1.log" 2>&1
}

# field FOLDER EXPRESSION: what it makes of the log, once.
field() {
	sed -n "$2" "$1.log" | head -n 1
}

# summary FOLDER: "STATES DEPTH SECONDS"
summary() {
	echo "$(field "$1" 's/^ *\([0-9.e+]*\) states, stored.*/\1/p')" \
		"$(field "$1" 's/.*depth reached \([0-9]*\).*/\1/p')" \
		"$(field "$1" 's/^pan: elapsed time \(.*\) seconds/\1/p')"
}

# report NAME VERDICT FOLDER
report() {
	summary "$3" | {
		read -r states depth seconds
		printf '%-36s %-9s %9s %6s %7s\n' "$1" "$2" \
			"${states:--}" "${depth:--}" "${seconds:--}"
	}
}

fail() {
	report "$1" FAILED "$2"
	tail -n 5 "$2.log"
	failed=1
}

# Nothing was violated, and nothing was left out.
is_complete() {
	grep -q 'errors: 0$' "$1.log" &&
		! grep -Eq 'not completed|depth too small|out of memory' \
			"$1.log"
}

# holds NAME FOLDER FILE CFLAG PAN-OPTIONS [-DNAME]
holds() {
	name=$1 folder=$2 options=$5
	# shellcheck disable=SC2086 # several options, or none
	make_pan "$folder" "$3" "$4" $6 && explore "$folder" $options
	if is_complete "$folder"; then
		report "$name" holds "$folder"
	else
		fail "$name" "$folder"
	fi
}

# violates FOLDER FILE CLAIM -DNAME [-DNAME=N]
violates() {
	folder=$1 file=$2 claim=$3
	shift 3
	make_pan "$folder" "$file" -DSAFETY "$@" && explore "$folder"
	grep -q "assertion violated $claim " "$folder.log"
}

# breaks NAME FOLDER FILE -DNAME CLAIM: in the short form, or in the long one.
breaks() {
	fewer=$(shorter "$3")
	if violates "$2" "$3" "$5" "$4" ${fewer:+"$fewer"} ||
		violates "$2" "$3" "$5" "$4"; then
		report "$1" found "$2"
	else
		fail "$1" "$2"
	fi
}

# broken FILE: "-DNAME CLAIM" in lines.
broken() {
	sed -n 's/^ \*   \(-D[A-Z_]*\)  *\([a-z_]*\)  .*/\1 \2/p' "$1"
}

# shorter FILE: the flag of its short form, or nothing.
shorter() {
	sed -n 's/^ \* Short: \(-D[A-Z]*=[0-9]*\).*/\1/p' "$1"
}

# size FILE: the same, where that is wanted.
size() {
	[ $short = no ] || shorter "$1"
}

run_model() {
	name=$1 file=$models/$1.pml
	holds "$name" "$runs/$name" "$file" -DSAFETY '' "$(size "$file")"
	if grep -q '^ltl ' "$file"; then
		holds "$name, in the end" "$runs/$name-ltl" "$file" -DLTL \
			'-a -f' -DLIVENESS
	fi
	forms=$(broken "$file")
	[ -n "$forms" ] || fail "$name has no broken form" "$runs/$name"
	# Not in a pipe: `failed` is this shell's.
	while read -r flag claim; do
		breaks "  $flag" "$runs/$name$flag" "$file" "$flag" "$claim"
	done <<-END
		$forms
	END
}

case $1 in
--short)
	short=yes
	shift
	;;
-*) usage ;;
esac
[ $# -gt 0 ] || set -- freelist retire exit idle trim
for model; do
	[ -f "$models/$model.pml" ] || usage
done
command -v spin >/dev/null || skip "there is no spin (Debian's package: spin)"
command -v "${CC:-cc}" >/dev/null || skip "there is no C compiler"
models=$(cd "$models" && pwd)
mkdir -p $runs || exit 1
printf '%-36s %-9s %9s %6s %7s\n' model '' states depth seconds
for model; do
	run_model "$model"
done
exit $failed
