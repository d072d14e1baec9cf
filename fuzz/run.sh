#!/bin/sh
# Fuzz for some seconds with libFuzzer and as many with AFL++, under
# AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   run.sh SOURCE SECONDS     where the sources are; works in ./build-fuzz
#
# Called by `make fuzz`. What is not installed is skipped, with a line. What
# fails is named, and can be played alone: fuzz/replay FILE. Exit status: 0
# nothing was found, 1 something was, 2 nothing could be run.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 SOURCE SECONDS" >&2; exit 2; }
case $2 in
''|*[!0-9]*) echo "$0: $2 is not a number of seconds" >&2; exit 2 ;;
esac
source=$(cd "$1" && pwd)
seconds=$2
corpus=$source/fuzz/corpus
ran=0
found=0

mkdir -p build-fuzz
cd build-fuzz

# build NAME COMPILER...: a program of that name, of all that is needed.
build()
{
	name=$1
	shift
	for part in actors budgets input model objects pools readers regions \
		target
	do
		set -- "$@" "$source/fuzz/$part.c"
	done
	# CPPFLAGS and LIBS are lists.
	# shellcheck disable=SC2086
	"$@" -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer \
		-pthread ${CPPFLAGS-} -I"$source/include" -I"$source" \
		"$source"/lib/*.c \
		-o "$name" ${LIBS--lurcu-bp}
}

lib_fuzzer()
{
	command -v clang >/dev/null || { echo 'no clang: libFuzzer skipped'
		return 0; }
	build libfuzzer clang -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined ||
		{ echo 'clang without libFuzzer (libclang-rt-dev): skipped'
			return 0; }
	mkdir -p queue
	echo "libFuzzer, $seconds s"
	if ./libfuzzer -max_len=400 -max_total_time="$seconds" -timeout=30 \
		-artifact_prefix=found- -print_final_stats=1 queue "$corpus" \
		>libfuzzer.log 2>&1
	then
		grep -E 'number_of_executed|new_units' libfuzzer.log
	else
		tail -n 40 libfuzzer.log
		found=1
	fi
	ran=1
}

# Its own main takes libFuzzer's place.
afl()
{
	if ! command -v afl-clang-fast >/dev/null ||
		! command -v afl-fuzz >/dev/null
	then
		echo 'no afl-clang-fast (afl++): AFL++ skipped'
		return 0
	fi
	AFL_QUIET=1 AFL_USE_ASAN=1 AFL_USE_UBSAN=1 \
		build afl afl-clang-fast -fsanitize=fuzzer ||
		{ echo 'afl-clang-fast does not build: skipped'; return 0; }
	rm -rf afl-out
	echo "AFL++, $seconds s"
	AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
		AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
		afl-fuzz -V "$seconds" -t 5000 -g 1 -G 400 -i "$corpus" \
		-o afl-out -- ./afl >afl.log 2>&1 ||
		{ tail -n 20 afl.log; found=1; }
	grep -E 'execs_done|corpus_count|saved_(crashes|hangs)' \
		afl-out/default/fuzzer_stats || found=1
	for file in afl-out/default/crashes/id* ; do
		[ -e "$file" ] || continue
		echo "AFL++ found build-fuzz/$file"
		found=1
	done
	ran=1
}

lib_fuzzer
afl
[ $ran -eq 1 ] || { echo 'neither fuzzer could be run' >&2; exit 2; }
exit $found
