/* SPDX-License-Identifier: MIT */
/*
 * main.c - explores a program's scenarios: as lib/ is, with each order made
 * weaker, and with grace periods and membarriers that do not what they should.
 *
 * As it is, every scenario must hold. With one order weaker, one must fail; or
 * the order is listed as stronger than it need be, with the reason, and then
 * none may. Without what these give, one must fail.
 */
#include "explore/engine.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/orders.h"
#include "seam/stdatomic.h"

/* Kept over the restoring of data: nothing here is static and changes. */
struct run {
	const char *only; /* a scenario's name */
	uint64_t most;
	bool verbose;
	bool unreduced;
	unsigned failed;
};

static const char *const role_names[] = {
	[LOADS] = "load", [STORES] = "store", [MODIFIES] = "swap",
	[FAILS] = "swap failed"};

static bool
is_meant(const struct run *run, const struct scenario *scenario)
{
	return !run->only || !strcmp(run->only, scenario->name);
}

static bool
is_known(const struct run *run)
{
	for (const struct scenario *s = scenarios; s->name; s++)
		if (is_meant(run, s))
			return true;
	return false;
}

/* ---- as it is ---- */

static void
hold(struct run *run, const struct scenario *scenario)
{
	struct outcome outcome = engine_explore(scenario, run->most);

	printf("%-22s %9" PRIu64 " executions, %8" PRIu64 " redundant, %7" PRIu64
	       " impossible  %s\n",
		scenario->name, outcome.executions, outcome.redundant,
		outcome.impossible,
		outcome.failed ? "FAILED" :
		outcome.cut    ? "FAILED: not all" :
				 "holds");
	fflush(stdout);
	if (outcome.failed)
		printf("%s: %s\n%s", scenario->claim, outcome.why,
			outcome.report);
	run->failed += outcome.failed || outcome.cut;
}

/* ---- what must be found ---- */

/* Returns the scenario that fails, or NULL. */
static const struct scenario *
find_failure(const struct run *run, struct outcome *outcome)
{
	for (const struct scenario *s = scenarios; s->name; s++) {
		if (!is_meant(run, s))
			continue;
		*outcome = engine_explore(s, run->most);
		if (outcome->failed || outcome->cut)
			return s;
	}
	return NULL;
}

/* Which of its function's operations of the same role it is, by line. */
static unsigned
number_of(const struct asked *asked)
{
	const struct asked *all;
	size_t count = memory_asked(&all);
	unsigned number = 1;

	for (size_t i = 0; i < count; i++)
		number += all[i].role == asked->role &&
			all[i].site->line < asked->site->line &&
			!strcmp(all[i].site->function, asked->site->function);
	return number;
}

static const char *
why_stronger(const struct asked *asked, int to)
{
	for (const struct stronger *s = stronger; s->function; s++)
		if (!strcmp(s->function, asked->site->function) &&
			s->number == number_of(asked) &&
			!strcmp(s->role, role_names[asked->role]) &&
			!strcmp(s->from, order_name(asked->order)) &&
			!strcmp(s->to, order_name(to)))
			return s->why;
	return NULL;
}

static void
print_found(const struct run *run, const struct scenario *scenario,
	const struct outcome *outcome)
{
	printf("found by %s in %" PRIu64 ": %s\n", scenario->name,
		outcome->executions + 1, outcome->why);
	if (run->verbose)
		printf("%s", outcome->report);
}

/* Returns whether a scenario fails. */
static bool
weaken(struct run *run, const struct asked *asked, int to)
{
	const char *why = why_stronger(asked, to);
	struct outcome outcome = {0};
	const struct scenario *scenario;

	memory_weaken((struct weakening){asked->site, asked->role, to});
	scenario = find_failure(run, &outcome);
	printf("%s:%d %s, %s -> %s: ", asked->site->function,
		asked->site->line, role_names[asked->role],
		order_name(asked->order), order_name(to));
	if (scenario && outcome.failed)
		print_found(run, scenario, &outcome);
	else if (why && !scenario)
		printf("not needed: %s\n", why);
	else
		printf("%s\n", scenario ? "not all explored" : "not found");
	if (!outcome.failed == !why) {
		printf("FAILED: %s\n", why ? "but it is listed as not needed" :
					     "an order that nothing holds");
		run->failed++;
	}
	fflush(stdout);
	return outcome.failed;
}

/* Make an order weaker step by step, until that is found. */
static void
weaken_all(struct run *run, const struct asked *asked)
{
	bool modifies = asked->role == MODIFIES;
	int half = asked->role == STORES ? memory_order_release :
					   memory_order_acquire;

	if (asked->order == memory_order_seq_cst && modifies &&
		weaken(run, asked, memory_order_acq_rel))
		return;
	if (asked->order == memory_order_seq_cst && !modifies &&
		weaken(run, asked, half))
		return;
	if (modifies && asked->order >= memory_order_acq_rel) {
		bool found = weaken(run, asked, memory_order_acquire);

		if (weaken(run, asked, memory_order_release) || found)
			return;
	}
	weaken(run, asked, memory_order_relaxed);
}

static void
weaken_each(struct run *run)
{
	const struct asked *asked;
	size_t count = memory_asked(&asked);

	for (size_t i = 0; i < count; i++)
		if (strcmp(asked[i].site->file, scenario_file))
			weaken_all(run, &asked[i]);
	memory_weaken((struct weakening){0});
}

static void
go_without(struct run *run, const char *what, struct without how)
{
	struct outcome outcome = {0};
	const struct scenario *scenario;

	rcu_go_without(how);
	membarrier_go_without(how.membarrier);
	scenario = find_failure(run, &outcome);
	rcu_go_without((struct without){0});
	membarrier_go_without(false);
	printf("without %s: ", what);
	if (scenario && outcome.failed) {
		print_found(run, scenario, &outcome);
		return;
	}
	printf("FAILED: nothing goes wrong\n");
	run->failed++;
}

static void
go_without_each(struct run *run)
{
	if (needs.grace) {
		go_without(run, "waiting for sections",
			(struct without){.waiting = true});
		go_without(run, "sections", (struct without){.sections = true});
	}
	if (needs.barrier)
		go_without(run, "a grace period's barrier",
			(struct without){.fence = true});
	if (needs.membarrier)
		go_without(run, "membarrier",
			(struct without){.membarrier = true});
}

/* ---- the whole ---- */

static _Noreturn void
usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: explore [--scenario NAME] [--most N] [--as-it-is] "
		"[--unreduced] [--verbose]\n");
	exit(status);
}

static void
read_options(struct run *run, int argc, char **argv, bool *as_it_is)
{
	static const struct option known[] = {
		{"scenario", required_argument, NULL, 's'},
		{"most", required_argument, NULL, 'm'},
		{"as-it-is", no_argument, NULL, 'a'},
		{"unreduced", no_argument, NULL, 'u'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 's')
			run->only = optarg;
		else if (option == 'm')
			run->most = strtoull(optarg, NULL, 10);
		else if (option == 'a')
			*as_it_is = true;
		else if (option == 'u')
			run->unreduced = true;
		else if (option == 'v')
			run->verbose = true;
		else
			usage(option == 'h' ? 0 : 2);
	}
	if (optind < argc || !run->most || !is_known(run))
		usage(2);
}

int
main(int argc, char **argv)
{
	struct run run = {.most = 100000000};
	bool as_it_is = false;

	read_options(&run, argc, argv, &as_it_is);
	engine_init();
	engine_reduce(!run.unreduced);
	for (const struct scenario *s = scenarios; s->name; s++)
		if (is_meant(&run, s))
			hold(&run, s);
	if (!as_it_is && !run.failed)
		weaken_each(&run);
	if (!as_it_is && !run.failed)
		go_without_each(&run);
	printf("%s\n", run.failed ? "FAILED" : "ok");
	return run.failed ? 1 : 0;
}
