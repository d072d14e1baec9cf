#!/bin/sh
# The stress of idle caches must find out caches that are taken without a
# membarrier: passes when idle-skip-membarrier fails. It stops at the first
# failure, well before its time is up. ThreadSanitizer's calls between two
# words of the protocol give a store the time to arrive, gcov's counters are
# barriers, and so is a switch between threads: skipped there, and where one
# processor is all there is.
case ${CFLAGS-} in
*sanitize=thread* | *--coverage*)
	echo 'idle-can-see: skipped under ThreadSanitizer and gcov'
	exit 77
	;;
esac
if test "$(nproc)" -eq 1; then
	echo 'idle-can-see: skipped on one processor'
	exit 77
fi
./stress/idle-skip-membarrier --seconds 20 2>&1
code=$?
case $code in
0 | 2 | 77 | 126 | 127)
	echo "idle-can-see: FAILED: idle-skip-membarrier ended with $code"
	exit 1
	;;
esac
echo "idle-can-see: ok, the missing barrier was found out (exit code $code)"
