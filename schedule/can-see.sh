#!/bin/sh
# The schedules must find out builds that are broken on purpose, within a
# thousand seeds; and the seed that found it must give the same run again, to
# the same point. A sanitizer says something of a run that breaks off, never
# twice the same: skipped there.
set -eu

case ${CFLAGS-} in
*-fsanitize=*)
	echo 'can-see: skipped under a sanitizer'
	exit 77
	;;
esac

# what_it_says PROGRAM ARGUMENT...: what a run that fails says.
what_it_says()
{
	if said=$("$@" 2>&1); then
		echo "can-see: FAILED: $* went well" >&2
		exit 1
	fi
	printf '%s\n' "$said"
}

# see PROGRAM SCENARIO
see()
{
	found=$(what_it_says "./schedule/$1" --scenario "$2" --seeds 1000)
	seed=${found##*--seed }
	again=$(what_it_says "./schedule/$1" --scenario "$2" --seed "$seed")
	if [ "$found" != "$again" ]; then
		echo "can-see: FAILED: $1, $2, seed $seed, is not the same:"
		printf '%s\n' "$found" "$again"
		exit 1
	fi
	echo "can-see: $1, $2, seed $seed: ${found%%
*}"
}

see skip-grace lists
see skip-grace retire
see torn-push churn
see lost-wake nap
see torn-take trim
see blind-claim idle
see hasty-destroy decay
see hasty-refusal budget
