#!/bin/sh
# What static analysis and valgrind say of lib/.
#
#   analyze.sh SOURCE     in a build, where check programs can be made
#
# Called by `make analyze`. verify/suppressed has what may be said all the
# same, with the reason. A tool that is not installed is skipped, with a line.
# Exit status: 0 clean, 1 not, 2 nothing could be run.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 SOURCE" >&2; exit 2; }
source=$1
flags="-std=gnu11 -D_GNU_SOURCE -I$source/include -I$source ${CPPFLAGS-}"
checks='-*,bugprone-*,clang-analyzer-*,concurrency-*
	-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling
	-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier
	-bugprone-assignment-in-if-condition,-bugprone-narrowing-conversions
	-clang-analyzer-optin.performance.Padding'
checks=$(echo "$checks" | tr -s '\n\t' ',,')
suites='alloc region mark large text cleanup region_allocator table trim'
ran=0
bad=0

has()
{
	command -v "$1" >/dev/null && ran=1 && return 0
	echo "no $1: skipped"
	return 1
}

# explained FILE CHECK: is it in the list?
explained()
{
	grep -v '^#' "$source/verify/suppressed" |
		grep -qF -- "$1 $2 |"
}

# judge TOOL: print those lines FILE:LINE:COLUMN: ... [CHECK] of the input that
# are not explained.
judge()
{
	sed -n 's/^.*\/\(lib\/[^:]*:.*\(warning\|error\).*\)/\1/p' |
		sort -u >"analyze-$1.log"
	clean=1
	while read -r line; do
		file=${line%%:*}
		check=${line##*[}
		explained "${file##*/}" "${check%]}" && continue
		printf '%s: %s\n' "$1" "$line"
		clean=0
		bad=1
	done <"analyze-$1.log"
	[ "$clean" -eq 0 ] || echo "$1: clean"
}

# flags is a list.
# shellcheck disable=SC2086
{
	if has gcc; then
		for file in "$source"/lib/*.c; do
			gcc $flags -O1 -fanalyzer -c "$file" -o /dev/null 2>&1 ||
				true
		done >analyze-gcc.out
		judge gcc <analyze-gcc.out
	fi
	if has cppcheck; then
		cppcheck --enable=warning,performance,portability --quiet \
			--std=c11 --suppress=missingInclude \
			-I"$source/include" -I"$source" \
			--template='{file}:{line}: {severity}: {message} [{id}]' \
			"$source/lib/" >analyze-cppcheck.out 2>&1 || true
		judge cppcheck <analyze-cppcheck.out
	fi
	if has clang-tidy; then
		clang-tidy --quiet --checks="$checks" "$source"/lib/*.c \
			-- $flags >analyze-clang-tidy.out 2>&1 || true
		judge clang-tidy <analyze-clang-tidy.out
	fi
}

# In one process, and few random runs: valgrind is slow.
if has valgrind; then
	for suite in $suites; do
		[ -x "tests/${suite}_test" ] || continue
		if CK_FORK=no TEST_RUNS=20 valgrind -q --error-exitcode=9 \
			--leak-check=no "tests/${suite}_test" \
			>analyze-valgrind.out 2>&1
		then
			echo "valgrind, ${suite}_test: clean"
		else
			tail -n 30 analyze-valgrind.out
			bad=1
		fi
	done
fi

[ $ran -eq 1 ] || { echo 'analyze: no tool could be run' >&2; exit 2; }
exit $bad
