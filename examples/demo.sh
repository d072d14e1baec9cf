# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# demo.sh - the demo that quickstart runs, which reads this file in.
#
#	              +--> httpd --allocator region --+
#	wrk, in turn -+                               +--> totals --> table
#	              +--> httpd --allocator malloc --+
#
# Then the first one alone, with and without hogs beside wrk: clients of other
# addresses that want 1 GiB each, and have budgets.
#
# Rounds on the two servers alternate, so that whatever else the machine does
# hits both; the table shows medians. Everything listens on loopback only.
#
# From quickstart: build, here, scratch, child; launch, landed, say, die,
# log_and_die.

: "${build:?quickstart reads this file in}" "${here:?}"

rounds=3
seconds=2 # of load, each round and server
broken=0  # requests that did not get a 200

# Of each allocator, by its name.
declare -gA process # its server's id
declare -gA words   # where the server's words come from
declare -gA port
declare -gA totals  # the server's last words
declare -gA rates   # a number for each round: requests/s,
declare -gA middles # median latency in microseconds,
declare -gA tails   # and what 99 % stay under

# commas N: with commas between thousands.
commas()
{
	local n=$1 text=

	while ((${#n} > 3)); do
		text=,${n: -3}$text
		n=${n:0:${#n}-3}
	done
	printf '%s\n' "$n$text"
}

# median N...
median()
{
	printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"
}

# number NAME LINE: what stands behind NAME= in it.
number()
{
	local rest=" $2 "

	[[ $rest == *" $1="* ]] || die "no $1 in: $2"
	rest=${rest#*" $1="}
	printf '%s\n' "${rest%% *}"
}

# The server's words come through a pipe, so that a dead one is noticed.
serve()
{
	exec "$build/examples/httpd" --port 0 --allocator "$1" \
		--threads "$workers" --connections "$((connections + 64))" \
		>"$scratch/$1"
}

# start ALLOCATOR
start()
{
	local line pipe

	mkfifo -- "$scratch/$1" || die 'cannot make a pipe'
	launch serve "$1"
	process[$1]=${child:?}
	exec {pipe}<"$scratch/$1"
	words[$1]=$pipe
	read -r -t 10 -u "$pipe" line || die "the $1 server does not start"
	line=${line#*://*:}
	port[$1]=${line%%/*}
}

# stop ALLOCATOR: sets totals to its last words.
stop()
{
	local line

	kill -TERM "${process[$1]}" 2>/dev/null
	while read -r -t 10 -u "${words[$1]}" line; do
		totals[$1]=$line
	done
	landed "${process[$1]}" ||
		die "the $1 server failed (status $?): ${totals[$1]-}"
	[[ ${totals[$1]-} == totals\ * ]] ||
		die "the $1 server ended without its totals"
}

# measure ALLOCATOR: one round; sets rate, middle and tail.
measure()
{
	local line us

	launch load_quietly "http://127.0.0.1:${port[$1]}/order"
	landed "$child" ||
		log_and_die "$scratch/wrk" "wrk failed on the $1 server"
	kill -0 "${process[$1]}" 2>/dev/null || die "the $1 server died"
	line=$(grep '^wrk ' "$scratch/wrk") ||
		log_and_die "$scratch/wrk" 'wrk did not say what it did'
	us=$(number us "$line")
	rate=$(($(number requests "$line") * 1000000 / us))
	middle=$(number p50 "$line")
	tail=$(number p99 "$line")
	broken=$((broken + $(number refused "$line")))
	broken=$((broken + $(number broken "$line")))
}

# load ALLOCATOR: one round for the table.
load()
{
	measure "$1"
	rates[$1]+=" $rate"
	middles[$1]+=" $middle"
	tails[$1]+=" $tail"
}

load_quietly()
{
	exec wrk --threads 1 --connections "$connections" \
		--duration "${seconds}s" --script "$here/examples/order.lua" \
		"$1" >"$scratch/wrk" 2>&1
}

# Eight of them, each a hundred times a second at most.
let_hogs_in()
{
	exec "$build/examples/hogs" "${port[region]}" 8 0 33554432 10 \
		>"$scratch/hogs" 2>&1
}

# beside_hogs: a round on regions while they are there; adds to refusals.
beside_hogs()
{
	local hogs line

	launch let_hogs_in
	hogs=$child
	measure region
	kill -TERM "$hogs" 2>/dev/null
	landed "$hogs" || log_and_die "$scratch/hogs" 'the hogs failed'
	line=$(grep '^hogs ' "$scratch/hogs") ||
		log_and_die "$scratch/hogs" 'the hogs did not say what they got'
	# Each was refused, and told when to come back.
	[[ $(number polite "$line") -eq $(number requests "$line") ]] ||
		die "not every hog got 503 with Retry-After: $line"
	refusals=$((refusals + $(number polite "$line")))
}

# shellcheck disable=SC2086 # The lists are split on purpose.
load_beside_hogs()
{
	local round refusals=0 alone='' beside=''
	local alone_middle='' beside_middle=''

	say 'the same on regions, with and without clients that want 1 GiB each'
	for ((round = 1; round <= rounds; round++)); do
		measure region
		alone+=" $tail" alone_middle+=" $middle"
		beside_hogs
		beside+=" $tail" beside_middle+=" $middle"
	done
	row '' 'without them' 'beside them'
	row 'latency, p50' "$(commas "$(median $alone_middle)") us" \
		"$(commas "$(median $beside_middle)") us"
	row 'latency, p99' "$(commas "$(median $alone)") us" \
		"$(commas "$(median $beside)") us"
	row '503 with Retry-After' - "$(commas "$refusals")"
}

# post PORT BODY: print the status and the body that come back.
post()
{
	local wire status line length=0 reply=

	exec {wire}<>"/dev/tcp/127.0.0.1/$1" || return
	printf 'POST /order HTTP/1.1\r\nHost: localhost\r\n' >&"$wire"
	printf 'Content-Length: %d\r\n\r\n%s' "${#2}" "$2" >&"$wire"
	read -r -t 5 -u "$wire" _ status _
	while read -r -t 5 -u "$wire" line && [[ $line != $'\r' ]]; do
		line=${line%$'\r'}
		[[ $line != Content-Length:* ]] || length=${line#*: }
	done
	[[ $length -eq 0 ]] || read -r -N "$length" -t 5 -u "$wire" reply
	exec {wire}>&-
	printf '%s %s\n' "${status:-nothing}" "${reply%$'\n'}"
}

# refuse WHAT BODY EXPECTED: both servers refuse it, in the same words.
refuse()
{
	local allocator answer

	for allocator in region malloc; do
		answer=$(post "${port[$allocator]}" "$2")
		# shellcheck disable=SC2053 # A pattern is meant.
		[[ $answer == $3 ]] ||
			die "$1: the $allocator server answers: $answer"
	done
	printf '    %-20s %s\n' "$1" "$answer"
}

# row NAME REGION MALLOC
row()
{
	printf '    %-22s %16s %16s\n' "$@"
}

# rows NAME FUNCTION: a row of what FUNCTION says of each allocator.
rows()
{
	row "$1" "$("$2" region)" "$("$2" malloc)"
}

# shellcheck disable=SC2086 # The lists are split on purpose.
rate_of()
{
	commas "$(median ${rates[$1]})"
}

# shellcheck disable=SC2086
middle_of()
{
	echo "$(commas "$(median ${middles[$1]})") us"
}

# shellcheck disable=SC2086
tail_of()
{
	echo "$(commas "$(median ${tails[$1]})") us"
}

# Nanoseconds of user time a request, shown in microseconds.
cost_of()
{
	local ns requests

	requests=$(number requests_begun "${totals[$1]}")
	ns=$(($(number user_us "${totals[$1]}") * 1000 / requests))
	printf '%d.%d us\n' $((ns / 1000)) $((ns % 1000 / 100))
}

requests_of()
{
	commas "$(number requests_ended "${totals[$1]}")"
}

resident_of()
{
	echo "$(commas "$(number rss_kib "${totals[$1]}")") KiB"
}

peak_of()
{
	echo "$(commas "$(number peak_kib "${totals[$1]}")") KiB"
}

# of_pool NAME: a number of the region server's, with commas.
of_pool()
{
	commas "$(number "$1" "${totals[region]}")"
}

hits()
{
	local taken hits

	taken=$(number pages_taken "${totals[region]}")
	hits=$(number cache_hits "${totals[region]}")
	printf '%d.%02d %%\n' $((hits * 100 / taken)) \
		$((hits * 10000 / taken % 100))
}

table()
{
	row '' regions malloc
	rows 'requests/s' rate_of
	rows 'latency, p50' middle_of
	rows 'latency, p99' tail_of
	rows 'user time a request' cost_of
	rows 'requests in all' requests_of
	row 'regions opened' "$(of_pool regions_opened)" -
	row 'regions closed' "$(of_pool regions_closed)" -
	row 'pages mapped' "$(of_pool pages_mapped)" -
	row 'pages handed out' "$(of_pool pages_handed_out)" -
	row 'cache hits' "$(hits)" -
	rows 'resident memory' resident_of
	rows 'resident, at its peak' peak_of
}

# What must hold of the numbers, beyond what the servers check at exit.
verify()
{
	local opened closed requests

	opened=$(number regions_opened "${totals[region]}")
	closed=$(number regions_closed "${totals[region]}")
	requests=$(number requests_begun "${totals[region]}")
	[[ $opened -eq $closed ]] || die "$((opened - closed)) regions leaked"
	[[ $(number bytes_charged "${totals[region]}") -eq 0 ]] ||
		die 'budgets are charged, and nobody is left'
	[[ $opened -eq $requests ]] ||
		die "$requests requests, but $opened regions"
	[[ $broken -eq 0 ]] || die "$broken requests did not get their answer"
}

load_both()
{
	local round regions

	say "posting orders to both for $((rounds * seconds * 2)) seconds," \
		"in turn"
	for ((round = 1; round <= rounds; round++)); do
		load region
		regions=$rate
		load malloc
		printf '    round %d of %d: %s requests/s on regions, %s on' \
			"$round" "$rounds" "$(commas "$regions")" \
			"$(commas "$rate")"
		printf ' malloc\n'
	done
}

run_demo()
{
	workers=$(nproc)
	((workers <= 8)) || workers=8
	connections=$((workers * 8))
	scratch=$(mktemp -d) || die 'cannot make a directory in /tmp'
	say "starting the server twice: on regions and on malloc"
	start region
	start malloc
	load_both
	say 'sending what it must refuse'
	refuse 'bad JSON' '{"customer":"Ada","items":[1,2,]}' \
		'400 *"position":31,*'
	refuse '40,000 bytes' "$(printf '%40000s' '')" '413 *'
	load_beside_hogs
	stop region
	stop malloc
	say "medians of $rounds rounds, $connections connections," \
		"$workers workers"
	table
	verify
	say 'every region that was opened is closed. To see it in a browser:'
	printf '    %q --port 8080\n' "$build/examples/httpd"
	printf '    then open http://127.0.0.1:8080/ (Ctrl-C ends it)\n'
}
