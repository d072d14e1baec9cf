#!/bin/sh
# Build acre and its suites for other machines, and run them.
#
#   cross.sh SOURCE [MACHINE...]     arm64 i386 musl; works in ./build-cross
#
# Called by `make cross`. liburcu and Check for arm64 and i386 come from the
# distribution's own packages, unpacked beside the build: nothing is installed.
# arm64 runs under qemu-user, which translates to this machine's memory order:
# it shows that the logic holds there, and nothing about weak ordering. What
# cannot be had is skipped, with a line. Exit status: 0 unless something that
# was built or run went wrong.
set -eu

[ $# -ge 1 ] || { echo "usage: $0 SOURCE [MACHINE...]" >&2; exit 2; }
source=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- arm64 i386 musl
flags="-std=gnu11 -D_GNU_SOURCE -O2 -g -pthread -Wall -Wextra -Wshadow
	-Wconversion -Werror -I$source/include -I$source"
# Suites in C with the RCU flavour bp. Not those of forks, which are not
# qemu-user's strength; of faults and claims, as in a static program the C
# library's own calls would fail too, and liburcu's count; and of mmap, which
# look for what qemu does not show.
suites=
for file in "$source"/tests/*_test.c; do
	name=${file##*/}
	case $name in
	header* | bridge* | *_memb_* | *_mb_* | *_qsbr_* | *flavour*) ;;
	fork* | fault* | claim* | mmap*) ;;
	*) suites="$suites ${name%.c}" ;;
	esac
done
static='-lcheck -lurcu-bp -lurcu-common -lsubunit -lrt -lm'
bad=0

mkdir -p build-cross
cd build-cross

skip()
{
	echo "$1: skipped: $2"
	exit 0
}

# packages MACHINE: liburcu and Check for it, in ./root-MACHINE.
packages()
{
	[ ! -d "root-$1" ] || return 0
	here=$PWD/apt-$1
	mkdir -p "$here/lists/partial" "$here/cache/archives/partial" \
		"$here/debs"
	set -- "$1" -q -o "Dir::State::lists=$here/lists" \
		-o "Dir::Cache=$here/cache" -o Dir::State::status=/dev/null \
		-o "APT::Architecture=$1" -o "APT::Architectures=$1"
	machine=$1
	shift
	# Where one of several lists cannot be had, the others may do.
	apt-get "$@" update >"apt-$machine.log" 2>&1 || true
	(cd "$here/debs" && apt-get "$@" download liburcu-dev check \
		libsubunit-dev) >>"apt-$machine.log" 2>&1 || return 1
	for deb in "$here"/debs/*.deb; do
		dpkg -x "$deb" "root-$machine.part"
	done
	mv "root-$machine.part" "root-$machine"
}

# compile MACHINE COMPILER...: all of lib/, in ./objects-MACHINE.
compile()
{
	objects=objects-$1
	shift
	rm -rf "$objects"
	mkdir -p "$objects"
	for file in "$source"/lib/*.c; do
		name=${file##*/}
		# shellcheck disable=SC2086
		"$@" $flags -c "$file" -o "$objects/${name%.c}.o" || return 1
	done
}

# wraps SUITE: the calls that its linker leads elsewhere.
wraps()
{
	sed -n "s/^tests_$1_LDFLAGS = -static//p" "$source"/tests/*.mk
}

# sources SUITE: what it is made of; a list may go on in the next lines.
sources()
{
	files=$(sed -n -e ':more' -e '/\\$/{' -e N -e 's/\\\n//' -e 'b more' \
		-e '}' -e "s/^tests_$1_SOURCES = //p" "$source"/tests/*.mk)
	for file in ${files:-tests/$1.c}; do
		case $file in
		*.c) echo "$source/$file" ;;
		esac
	done
}

# runs_on MACHINE SUITE: under qemu-user a program that aborts says more than
# it does itself, and a thread that was joined is in /proc for a while.
runs_on()
{
	case $1/$2 in
	arm64/array_test | arm64/decay_test | arm64/helper_test) return 1 ;;
	esac
}

# check MACHINE LIBRARIES RUNNER COMPILER...: build each suite and run it;
# RUNNER may be empty.
check()
{
	machine=$1
	libraries=$2
	runner=$3
	shift 3
	passed=0
	failed=0
	for suite in $suites; do
		runs_on "$machine" "$suite" || continue
		program=$objects/$suite
		# shellcheck disable=SC2046,SC2086
		if ! "$@" $flags -Wno-error $(sources "$suite") \
			"$objects"/*.o $libraries $(wraps "$suite") -static \
			-o "$program" \
			>"$program.log" 2>&1
		then
			echo "$machine: $suite does not build: $program.log"
			tail -n 5 "$program.log"
			failed=$((failed + 1))
		elif TEST_RUNS=200 CK_TIMEOUT_MULTIPLIER=10 timeout 300 \
			$runner "$program" >"$program.log" 2>&1
		then
			passed=$((passed + 1))
		else
			echo "$machine: $suite fails: $program.log"
			tail -n 8 "$program.log"
			failed=$((failed + 1))
		fi
	done
	echo "$machine: $passed suites pass, $failed fail"
	[ "$failed" -eq 0 ]
}

# ---- machines ----

arm64()
{
	command -v qemu-aarch64-static >/dev/null ||
		skip arm64 'no qemu-aarch64-static (qemu-user-static)'
	[ -d /usr/aarch64-linux-gnu/include ] ||
		skip arm64 'no C library (libc6-dev-arm64-cross)'
	packages arm64 || skip arm64 'no liburcu; see build-cross/apt-arm64.log'
	root=$PWD/root-arm64/usr
	if command -v aarch64-linux-gnu-gcc >/dev/null; then
		set -- aarch64-linux-gnu-gcc
	elif command -v clang >/dev/null; then
		set -- clang --target=aarch64-linux-gnu \
			-isystem /usr/aarch64-linux-gnu/include
	else
		skip arm64 'no compiler (gcc-aarch64-linux-gnu, or clang)'
	fi
	set -- "$@" -isystem "$root/include/aarch64-linux-gnu" \
		-isystem "$root/include"
	compile arm64 "$@" || return 1
	check arm64 "-L$root/lib/aarch64-linux-gnu $static" \
		qemu-aarch64-static "$@"
}

i386()
{
	echo 'int main(void) { return 0; }' >try.c
	if ! gcc -m32 try.c -o try 2>/dev/null || ! ./try; then
		skip i386 'no gcc -m32 (gcc-multilib), or no such programs'
	fi
	packages i386 || skip i386 'no liburcu; see build-cross/apt-i386.log'
	root=$PWD/root-i386/usr
	set -- gcc -m32 -isystem "$root/include/i386-linux-gnu" \
		-isystem "$root/include"
	compile i386 "$@" || return 1
	check i386 "-L$root/lib/i386-linux-gnu $static" '' "$@"
}

# liburcu's headers are the same; its library was built for another libc, so
# this is compiled and not linked.
musl()
{
	command -v musl-gcc >/dev/null || skip musl 'no musl-gcc (musl-tools)'
	mkdir -p musl-include
	for folder in /usr/include/urcu /usr/include/*/urcu; do
		[ ! -d "$folder" ] || cp -R "$folder" musl-include/
	done
	cp /usr/include/urcu*.h /usr/include/*/urcu*.h musl-include/ \
		2>/dev/null || true
	# The kernel's headers are no libc's.
	compile musl musl-gcc -isystem "$PWD/musl-include" \
		-idirafter /usr/include/x86_64-linux-gnu \
		-idirafter /usr/include || return 1
	echo 'musl: lib/ compiles; liburcu is for another libc, so no test runs'
}

for machine; do
	case $machine in
	arm64) (arm64) ;;
	i386) (i386) ;;
	musl) (musl) ;;
	*) echo "$0: no machine $machine" >&2; exit 2 ;;
	esac || { echo "$machine: FAILED"; bad=1; }
done
exit $bad
