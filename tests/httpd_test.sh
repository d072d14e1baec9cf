#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# httpd_test.sh - examples/httpd keeps its promises over real sockets, with
# its memory from regions and from malloc.
#
#	start -> connect -> send -> receive -> ... -> stop
#
# The client is bash's /dev/tcp. Nothing sleeps: a step waits for a reply, for
# the server's own words, or for what /stats says; ten seconds without any
# is a failure. Under a sanitizer the server's exit status tells of leaks.
#
# HTTPD says which program to test, HOGS where the greedy clients are. Exit status: 77 when it was not built.

set -u
export LC_ALL=C # Lengths are in bytes.
trap '' PIPE # Writing to a connection that the server closed is no error.

httpd=${HTTPD-./examples/httpd}
hogs=${HOGS-./examples/hogs}
patience=10 # seconds
max_body=2000

if [[ ! -x $httpd ]]; then
	echo "SKIP: $httpd was not built"
	exit 77
fi

passed=0
failed=0
server=

scratch=$(mktemp -d) || exit 1

finish()
{
	rm -rf "$scratch"
	if [[ -n $server ]]; then
		kill -KILL "$server" 2>/dev/null
	fi
}
trap finish EXIT

# judge HOLDS WHAT GOT EXPECTED: HOLDS is 0 for yes.
judge()
{
	if [[ $1 -eq 0 ]]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL: ($allocator) $2: got '$3', expected '$4'"
	fi
}

# claim WHAT GOT EXPECTED: they are the same.
claim()
{
	[[ $2 == "$3" ]]
	judge $? "$@"
}

# claim_like WHAT GOT PATTERN: it matches.
claim_like()
{
	# shellcheck disable=SC2053 # A pattern is meant.
	[[ $2 == $3 ]]
	judge $? "$@"
}

give_up()
{
	echo "FAIL: ($allocator) $1"
	exit 1
}

# ---- the server -------------------------------------------------------

# start [OPTION]...: sets server (its process), words (its stdout), port.
start()
{
	local line

	exec {words}< <(exec "$httpd" --port 0 --threads 2 \
		--allocator "$allocator" --max-body "$max_body" "$@")
	server=$!
	read -r -t "$patience" -u "$words" line || give_up "no first line"
	port=${line#*://*:}
	port=${port%%/*}
	[[ $port =~ ^[0-9]+$ ]] || give_up "no port in: $line"
}

# stop SIGNAL: ends the server, sets totals (its last line) and code.
stop()
{
	local line

	totals=
	kill -s "$1" "$server"
	while read -r -t "$patience" -u "$words" line; do
		totals=$line
	done
	exec {words}<&-
	# Silence, not the end of its words: it hangs.
	[[ -n $totals ]] || kill -KILL "$server"
	wait "$server"
	code=$?
	server=
}

# total NAME: the number of that name in the last line.
total()
{
	local rest=" $totals "

	[[ $rest == *" $1="* ]] || return 1
	rest=${rest##*" $1="}
	echo "${rest%% *}"
}

# ---- the client -------------------------------------------------------

# connect: sets wire, a connection to the server.
connect()
{
	exec {wire}<>"/dev/tcp/127.0.0.1/$port" || give_up "cannot connect"
}

hang_up()
{
	exec {wire}>&-
}

# send FORMAT [ARGUMENT]...: as printf.
send()
{
	# shellcheck disable=SC2059 # The format is the argument.
	{ printf "$@" >&"$wire"; } 2>/dev/null
}

# send_post PATH LENGTH BODY [HEADER]...: a POST, as much of it as BODY is.
send_post()
{
	local path=$1 length=$2 body=$3 header headers=

	shift 3
	for header; do
		headers+="$header"$'\r\n'
	done
	send 'POST %s HTTP/1.1\r\nHost: test\r\n' "$path"
	send 'Content-Length: %d\r\n%s\r\n%s' "$length" "$headers" "$body"
}

# receive [head]: one reply off the wire; sets status, headers and reply.
# With "head" it has no body. status is "closed" when the server ended the
# connection, and "silent" when it did nothing at all.
receive()
{
	local line length=0 code

	status='' headers='' reply=''
	read -r -t "$patience" -u "$wire" _ status _
	code=$?
	if ((code != 0)); then
		status=closed
		((code <= 128)) || status=silent
		return
	fi
	while read -r -t "$patience" -u "$wire" line; do
		line=${line%$'\r'}
		[[ -n $line ]] || break
		headers+="$line"$'\n'
		[[ ${line,,} != content-length:* ]] || length=${line##*: }
	done
	[[ ${1-} != head && $length -gt 0 ]] || return
	read -r -N "$length" -t "$patience" -u "$wire" reply
	reply=${reply%$'\n'}
}

# get METHOD PATH: without a body.
get()
{
	connect
	send '%s %s HTTP/1.1\r\nHost: test\r\n\r\n' "$1" "$2"
	if [[ $1 == HEAD ]]; then
		receive head
	else
		receive
	fi
	hang_up
}

# post PATH BODY
post()
{
	connect
	send_post "$1" "${#2}" "$2"
	receive
	hang_up
}

# stat NAME: the number of that name in /stats.
stat()
{
	local rest

	get GET /stats
	rest=${reply##*"\"$1\":"}
	echo "${rest%%[,\}]*}"
}

# await NAME NUMBER: ask /stats until it says so.
await()
{
	local end=$((SECONDS + patience)) now

	while now=$(stat "$1"); [[ $now != "$2" ]]; do
		if ((SECONDS > end)); then
			claim "$1 comes to $2" "$now" "$2"
			return
		fi
	done
	claim "$1 comes to $2" "$now" "$2"
}

# ---- what is sent -----------------------------------------------------

# order_of CUSTOMER: a good order; its total is 1071.
order_of()
{
	printf '{"customer":"%s","items":[{"sku":"tea","quantity":2,' "$1"
	printf '"cents":450}]}'
}

answer_of()
{
	printf '{"customer":"%s","lines":[{"sku":"tea","quantity":2,' "$1"
	printf '"cents":450,"total_cents":900}],'
	printf '"net_cents":900,"tax_cents":171,"total_cents":1071}'
}

# spaces N: as many.
spaces()
{
	printf '%*s' "$1" ''
}

# send_chunk TEXT: in HTTP's chunked coding; without a text, the last one.
send_chunk()
{
	send '%x\r\n%s\r\n' "${#1}" "$1"
}

chunked_head=$'POST /order HTTP/1.1\r\nHost: test\r\n'
chunked_head+=$'Transfer-Encoding: chunked\r\n\r\n'

# ---- claims -----------------------------------------------------------

good_orders_get_their_totals()
{
	post /order "$(order_of Ada)"
	claim 'an order: status' "$status" 200
	claim 'an order: totals' "$reply" "$(answer_of Ada)"
	claim_like 'an order: type' "$headers" \
		'*Content-Type: application/json*'
}

bad_json_gets_its_position()
{
	local row

	# What the body is, and where cJSON gives up.
	for row in '{"customer":}@12' '[1,2,]@5' '[1 2]@3' 'nul@0' '{} x@3' \
		'@0' '{"a":@5' '[[[[@4' '{"a":tru}@5'; do
		post /order "${row%@*}"
		claim "${row%@*}: status" "$status" 400
		claim_like "${row%@*}: position" "$reply" \
			"{\"error\":\"bad JSON\",\"position\":${row##*@},*"
	done
	post /order $'[1,\n 2,\n 3 4]'
	claim_like 'on a third line' "$reply" \
		'*"position":11,"line":3,"column":4}'
}

a_nul_is_not_json()
{
	connect
	send_post /order 4 '{}'
	send '\0 '
	receive
	hang_up
	claim 'a NUL: status' "$status" 400
	claim_like 'a NUL: position' "$reply" '*"position":2,*'
}

json_that_is_no_order_is_told_why()
{
	local item='{"sku":"a","quantity":1,"cents":1}'
	local row

	for row in '[]@an order must be an object' \
		'{}@customer must be *' \
		'{"customer":"A","items":[]}@items must be *' \
		"{\"customer\":\"A\",\"items\":[$item,1]}@items[[]1] must *" \
		"{\"customer\":\"A\",\"items\":[${item/1/0}]}@*quantity*"; do
		post /order "${row%%@*}"
		claim "${row%%@*}: status" "$status" 422
		claim_like "${row%%@*}: why" "$reply" \
			"{\"error\":\"${row#*@}\"}"
	done
}

a_body_up_to_the_limit_is_read()
{
	local order

	order=$(order_of Ada)
	post /order "$order$(spaces $((max_body - ${#order})))"
	claim 'a body of the limit' "$status" 200
	post /order "$order$(spaces $((max_body + 1 - ${#order})))"
	claim 'a body over the limit' "$status" 413
	claim 'a body over the limit: reply' "$reply" \
		"{\"error\":\"body too large\",\"limit\":$max_body}"
}

a_large_body_is_refused_before_it_comes()
{
	connect
	send_post /order 4000 '' 'Expect: 100-continue'
	receive
	hang_up
	claim 'a large body that waits' "$status" 413
	connect
	send_post /order 4000000000 ''
	receive
	hang_up
	claim 'a huge body' "$status" 413
}

a_small_body_that_waits_is_asked_for()
{
	local order

	order=$(order_of Ada)
	connect
	send_post /order "${#order}" '' 'Expect: 100-continue'
	receive
	claim 'before the body' "$status" 100
	send '%s' "$order"
	receive
	hang_up
	claim 'after the body' "$status" 200
}

chunks_make_one_body()
{
	local order i

	order=$(order_of Ada)
	connect
	send '%s' "$chunked_head"
	for ((i = 0; i < ${#order}; i += 7)); do
		send_chunk "${order:i:7}"
	done
	send_chunk ''
	receive
	hang_up
	claim 'in chunks: status' "$status" 200
	claim 'in chunks: totals' "$reply" "$(answer_of Ada)"
}

a_large_chunked_body_is_refused()
{
	local piece i

	piece=$(spaces 1000)
	connect
	send '%s' "$chunked_head"
	for ((i = 0; i < 5; i++)); do
		send_chunk "$piece"
	done
	send_chunk ''
	receive
	hang_up
	claim 'too much in chunks' "$status" 413
}

an_endless_body_is_hung_up_on()
{
	local aborted piece i

	aborted=$(stat requests_aborted)
	piece=$(spaces 60000)
	connect
	send '%s' "$chunked_head"
	for ((i = 0; i < 25; i++)); do
		send_chunk "$piece" || break
	done
	receive
	hang_up
	claim 'an endless body' "$status" closed
	await requests_aborted $((aborted + 1))
}

other_paths_and_methods_are_refused()
{
	post /nowhere '{}'
	claim 'no such path' "$status" 404
	get GET /order
	claim 'GET of an order' "$status" 405
	claim_like 'GET of an order: Allow' "$headers" $'*Allow: POST\n*'
	post /stats '{}'
	claim 'POST to /stats' "$status" 405
	claim_like 'POST to /stats: Allow' "$headers" $'*Allow: GET, HEAD\n*'
}

pages_are_served()
{
	get GET /
	claim 'the page: status' "$status" 200
	claim_like 'the page' "$reply" '<!DOCTYPE html>*</html>'
	get HEAD /
	claim 'HEAD' "$status" 200
	get GET /stats
	claim_like 'statistics' "$reply" "{\"allocator\":\"$allocator\",*}"
	claim 'this request is open' "$(stat requests_open)" 1
}

a_connection_serves_many_requests()
{
	local order i

	connect
	for i in 1 2 3; do
		order=$(order_of "No$i")
		send_post /order "${#order}" "$order"
		receive
		claim "request $i of a connection" "$reply" \
			"$(answer_of "No$i")"
	done
	hang_up
}

pipelined_requests_are_answered_in_order()
{
	local order i

	connect
	for i in 1 2 3 4; do
		order=$(order_of "No$i")
		send_post /order "${#order}" "$order"
	done
	for i in 1 2 3 4; do
		receive
		claim "pipelined $i" "$reply" "$(answer_of "No$i")"
	done
	hang_up
}

# ask_often NAME: many orders on one connection; true if each answer is
# NAME's own.
ask_often()
{
	local wanted order i

	wanted=$(answer_of "$1")
	order=$(order_of "$1")
	connect
	for ((i = 0; i < 25; i++)); do
		send_post /order "${#order}" "$order"
		receive
		[[ $reply == "$wanted" ]] || return 1
	done
	hang_up
}

answers_do_not_mix()
{
	local clients=() name i

	for name in Ann Bob Cem Dee; do
		ask_often "$name" &
		clients+=($!)
	done
	for i in "${!clients[@]}"; do
		wait "${clients[i]}"
		claim "answers of client $i are its own" $? 0
	done
}

a_client_that_leaves_costs_nothing()
{
	local aborted

	aborted=$(stat requests_aborted)
	connect
	send_post /order 100 '{"customer":'
	await requests_open 2
	hang_up
	await requests_open 1
	await requests_aborted $((aborted + 1))
}

# A request is under way when the signal comes.
a_signal_ends_it_cleanly()
{
	local half requests

	connect
	half=$wire
	send_post /order 100 '{"customer":'
	await requests_open 2
	stop "$1"
	exec {half}>&-
	requests=$(total requests_begun)
	claim "exit status after $1" "$code" 0
	claim 'there were requests' $((requests > 0)) 1
	claim 'every request ended' "$(total requests_ended)" "$requests"
	if [[ $allocator == region ]]; then
		claim 'every request opened a region' \
			"$(total regions_opened)" "$requests"
		claim 'every region closed' \
			"$(total regions_closed)" "$requests"
	fi
}

# The pool holds six pages, less what the source's alignment costs. Bodies of
# more and more small values, and one large one, must come to want more: then
# the parser fails at the large one, though there is still room for small
# things, such as a wrong answer.
no_memory_is_said_and_survived()
{
	local text zeros many

	start --threads 1 --max-body 40000 --max-pool 393216
	text=$(spaces 25000)
	for ((many = 200; many <= 6400; many += 200)); do
		zeros=$(spaces "$many")
		post /order "[${zeros// /0,}\"$text\"]"
		[[ $status == 422 ]] || break
	done
	claim 'a body that exhausts the pool' "$status" 503
	claim 'a body that exhausts the pool: reply' "$reply" \
		'{"error":"out of memory"}'
	claim 'small bodies did not' $((many > 200)) 1
	post /order "$(order_of Ada)"
	claim 'the next request' "$reply" "$(answer_of Ada)"
	a_signal_ends_it_cleanly TERM
}

# As above with good orders: here it is the answer that finds no room.
no_memory_for_an_answer_is_said()
{
	local item='{"sku":"tea","quantity":1,"cents":100}'
	local items='' many

	start --threads 1 --max-body 40000 --max-pool 196608
	for ((many = 1; many <= 250; many++)); do
		items+="${items:+,}$item"
		((many % 10 == 0)) || continue
		post /order "{\"customer\":\"Ada\",\"items\":[$items]}"
		[[ $status == 200 ]] || break
		claim_like "$many lines" "$reply" \
			"*\"net_cents\":${many}00,*,\"total_cents\":*}"
	done
	claim 'an order that exhausts the pool' "$status" 503
	claim 'small orders did not' $((many > 10)) 1
	a_signal_ends_it_cleanly TERM
}

# ---- budgets ----------------------------------------------------------

too_much_is_refused_and_told_when_to_retry()
{
	get GET '/export?rows=33554432'
	claim '1 GiB: status' "$status" 503
	claim '1 GiB: reply' "$reply" '{"error":"out of memory"}'
	claim_like '1 GiB: Retry-After' "$headers" $'*Retry-After: 1\n*'
	get GET '/export?rows=2'
	claim 'two rows: status' "$status" 200
	claim_like 'two rows: Retry-After' "$headers" '*Content-Type: text/csv*'
	claim 'two rows: length' "${#reply}" 63
	get GET '/export?rows=0'
	claim 'no rows: status' "$status" 400
	get GET /export
	claim 'rows of nothing: status' "$status" 400
}

# Eight clients want 1 GiB each, again and again, and the same eight addresses
# each what one may have, for which the server has no room at one time. Others
# do not notice, and nothing stays behind.
hogs_do_not_disturb_others()
{
	local before greedy busy

	start --threads 2 --max-client 1000000 --max-server 6000000
	before=$(stat bytes_charged)
	"$hogs" "$port" 8 50 33554432 1 >"$scratch/greedy" &
	greedy=$!
	"$hogs" "$port" 8 50 25000 1 >"$scratch/busy" &
	busy=$!
	answers_do_not_mix
	wait "$greedy"
	claim 'hogs were answered' $? 0
	wait "$busy"
	claim 'busy clients were answered' $? 0
	claim 'every hog is refused, and told when to retry' \
		"$(cat "$scratch/greedy")" \
		'hogs requests=400 served=0 refused=400 polite=400 other=0'
	claim_like 'busy clients are served or told when to retry' \
		"$(cat "$scratch/busy")" \
		'hogs requests=400 served=[1-9]* other=0'
	await tenants 1
	await bytes_charged "$before"
	a_signal_ends_it_cleanly TERM
	claim 'no tenant is left' "$(total tenants)" 0
	claim 'nothing is charged' "$(total bytes_charged)" 0
}

# ---- the command line -------------------------------------------------

wrong_options_get_usage()
{
	local option text code

	for option in --nothing --port --port=x --port=65536 --port=-1 \
		--threads=0 --allocator=other --max-body=0 extra \
		--port= -p; do
		text=$(timeout "$patience" "$httpd" "$option" \
			2>&1 >/dev/null)
		code=$?
		claim "$option: status" "$code" 2
		claim_like "$option: words" "$text" $'httpd: *\nusage: httpd *'
	done
	text=$("$httpd" --help)
	claim '--help: status' $? 0
	claim_like '--help: words' "$text" 'usage: httpd *'
}

a_busy_port_is_said()
{
	local text code

	text=$(timeout "$patience" "$httpd" --port "$port" 2>&1 >/dev/null)
	code=$?
	claim 'a busy port: status' "$code" 1
	claim_like 'a busy port: words' "$text" 'httpd: 127.0.0.1: *'
}

# ---- all of them ------------------------------------------------------

for allocator in region malloc; do
	start
	good_orders_get_their_totals
	bad_json_gets_its_position
	a_nul_is_not_json
	json_that_is_no_order_is_told_why
	a_body_up_to_the_limit_is_read
	a_large_body_is_refused_before_it_comes
	a_small_body_that_waits_is_asked_for
	chunks_make_one_body
	a_large_chunked_body_is_refused
	an_endless_body_is_hung_up_on
	other_paths_and_methods_are_refused
	pages_are_served
	a_connection_serves_many_requests
	pipelined_requests_are_answered_in_order
	answers_do_not_mix
	a_client_that_leaves_costs_nothing
	a_busy_port_is_said
	a_signal_ends_it_cleanly TERM
done

allocator=region
no_memory_is_said_and_survived
no_memory_for_an_answer_is_said
start
too_much_is_refused_and_told_when_to_retry
a_signal_ends_it_cleanly INT
hogs_do_not_disturb_others
wrong_options_get_usage

echo "$passed claims hold, $failed do not"
[[ $failed -eq 0 ]]
