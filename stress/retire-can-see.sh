#!/bin/sh
# The stress of retire must find out a retire without grace periods: passes
# when retire-skip-grace fails. It stops at the first failure, well before its
# time is up.
./stress/retire-skip-grace --seconds 30 2>&1
code=$?
case $code in
0 | 2 | 77 | 126 | 127)
	echo "retire-can-see: FAILED: retire-skip-grace ended with $code"
	exit 1
	;;
esac
echo "retire-can-see: ok, the broken retire was found out (exit code $code)"
