#!/bin/sh
# ThreadSanitizer must see a race in user code through acre: passes when
# planted-race ends with ThreadSanitizer's exit code. Skipped in other builds.
./stress/planted-race 2>&1
code=$?
case $code in
66)
	echo "tsan-can-see: ok, the planted race was reported"
	;;
77)
	echo "tsan-can-see: skipped, not a build with ThreadSanitizer"
	exit 77
	;;
*)
	echo "tsan-can-see: FAILED: planted-race ended with $code"
	exit 1
	;;
esac
