#!/bin/sh
# Build and test everything with a sanitizer, in a directory of its own.
#
#   sanitize.sh tsan|asan      in build-tsan or build-asan, which holds a copy
#                              of the sources as folder `source`
#
# Called by `make tsan` and `make asan`. No suppressions: the exit code is the
# truth. A test in which ThreadSanitizer saw a race ends with 66, whatever the
# test itself thinks of it.
set -eu

case $1 in
tsan)
	flags='-fsanitize=thread'
	;;
asan)
	flags='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
	;;
*)
	echo "usage: $0 tsan|asan" >&2
	exit 2
	;;
esac

unset TSAN_OPTIONS ASAN_OPTIONS LSAN_OPTIONS
UBSAN_OPTIONS=print_stacktrace=1
export UBSAN_OPTIONS

cd "build-$1"
if [ ! -f config.status ]; then
	flags="-O1 -g $flags -fno-omit-frame-pointer"
	./source/configure --disable-shared \
		CC="${CC:-cc}" CFLAGS="$flags" \
		CXX="${CXX:-c++}" CXXFLAGS="$flags"
fi

# Sanitizers do not find room for their shadow where the system spreads
# mappings over more than 28 bits.
bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
if [ "$bits" -gt 28 ]; then
	exec setarch -R "${MAKE:-make}" check VERBOSE=1
fi
exec "${MAKE:-make}" check VERBOSE=1
