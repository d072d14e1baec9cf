#!/bin/sh
# The soak must find out builds that are broken on purpose: passes when each of
# them fails, for the reason that is to be found. They stop at the first
# failure, well before their time is up.
#
#   soak-can-see.sh          those that are found by what they count
#   soak-can-see.sh long     the one that only memory shows: 20 s
set -eu

# see PROGRAM SECONDS REASON
see()
{
	if said=$("./stress/$1" --seconds "$2" 2>&1); then
		echo "soak-can-see: FAILED: $1 went well" >&2
		exit 1
	fi
	case $said in
	*"FAILED: "*"$3"*) ;;
	*)
		printf 'soak-can-see: FAILED: %s did not say "%s":\n%s\n' \
			"$1" "$3" "$said" >&2
		exit 1
		;;
	esac
	echo "soak-can-see: ok, $1 was found out: $3"
}

if [ "${1-}" = long ]; then
	see soak-heap-leak 20 "memory goes up"
	exit
fi
see soak-lost-page 4 "what regions hold"
see soak-lost-retire 4 "cleanups have run"
see soak-kept-cache 4 "what regions hold"
