-- SPDX-License-Identifier: MIT
--
-- order.lua - wrk's part of the demo: orders of all sizes, over and over.
--
--	wrk -s order.lua http://127.0.0.1:8080/order
--
-- A hundred bodies are made before the clock starts, from a seed of their
-- own, so every run and both allocators see the same ones: 1 to 60 lines,
-- small orders the more common, 130 bytes to 5 KB. At the end one line says
-- what happened, for scripts:
--
--	wrk requests=N us=N p50=N p99=N refused=N broken=N
--
-- Times are in microseconds. refused counts answers of 400 and up, broken
-- requests that never got one.

local BODIES = 100
local MOST_LINES = 60

local customers = {
	"Ada Lovelace", "Grace Hopper", "Zoë Müller", "Søren Ångström",
	"李小龍", "Владимир \\\"Vova\\\" Иванов", "O'Brien & Sons\\tLtd.",
}

local goods = {
	"tea-assam", "tea-earl-grey", "tea-sencha", "teapot", "cup-and-saucer",
	"kettle-1500-w", "strainer-steel-fine", "honey-250-g", "biscuits",
	"coffee-beans-ethiopia-1-kg", "filter-papers-100", "grinder",
}

-- Park and Miller's generator: the same numbers from every Lua.
local seed = 20240229
local function random(least, most)
	seed = seed * 16807 % 2147483647
	return least + seed % (most - least + 1)
end

local function one_of(list)
	return list[random(1, #list)]
end

local function item()
	return string.format('{"sku":"%s","quantity":%d,"cents":%d}',
		one_of(goods), random(1, 12), random(50, 19999))
end

-- Small orders are the more common: each size is as likely as its double.
local function order()
	local lines = math.floor(MOST_LINES ^ (random(0, 1000) / 1000))
	local items = {}

	for i = 1, lines do
		items[i] = item()
	end
	return string.format('{"customer":"%s","items":[\n  %s\n]}',
		one_of(customers), table.concat(items, ",\n  "))
end

local requests = {}
local turn = 0

function init()
	local headers = {["Content-Type"] = "application/json"}

	for i = 1, BODIES do
		requests[i] = wrk.format("POST", nil, headers, order())
	end
end

function request()
	turn = turn % BODIES + 1
	return requests[turn]
end

function done(summary, latency)
	local errors = summary.errors

	io.write(string.format(
		"wrk requests=%d us=%d p50=%d p99=%d refused=%d broken=%d\n",
		summary.requests, summary.duration,
		latency:percentile(50), latency:percentile(99), errors.status,
		errors.connect + errors.read + errors.write + errors.timeout))
end
