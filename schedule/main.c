/* SPDX-License-Identifier: MIT */
/*
 * main.c - runs scenarios, each seed in a process of its own.
 *
 * A process that fails, is killed or does not end is a seed that fails; the
 * line that is printed says how to run it again.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schedule/schedule.h"

#define SECONDS_MOST 20 /* for a seed */

struct run {
	const char *only; /* a scenario's name */
	uint64_t first;
	uint64_t count;
	unsigned failed;
};

static _Noreturn void
run_seed(const struct scenario *scenario, uint64_t seed, bool says)
{
	alarm(SECONDS_MOST);
	scheduler_begin(seed);
	scenario->run();
	if (says)
		printf("%s: seed %" PRIu64 ": ok, %" PRIu64
		       " points, trace %016" PRIx64 "\n",
			scenario->name, seed, scheduler_points(),
			scheduler_trace());
	fflush(stdout);
	_exit(0);
}

/* Returns whether the seed went well. */
static bool
try_seed(const struct scenario *scenario, uint64_t seed, bool says)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0) {
		perror("fork");
		exit(3);
	}
	if (child == 0)
		run_seed(scenario, seed, says);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		printf("ended by signal %d\n", WTERMSIG(status));
	return status == 0;
}

/* One thread runs at a time: on one processor the baton is handed on fastest.
 * A wish. */
static void
stay_here(void)
{
	int here = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (here >= 0) {
		CPU_SET((size_t)here, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
}

static void
run_scenario(struct run *run, const struct scenario *scenario)
{
	for (uint64_t seed = run->first; seed - run->first < run->count;
		seed++) {
		if (try_seed(scenario, seed, run->count == 1))
			continue;
		printf("FAILED: %s: %s; again with\n"
		       "    %s --scenario %s --seed %" PRIu64 "\n",
			scenario->name, scenario->claim,
			program_invocation_name, scenario->name, seed);
		run->failed++;
		return;
	}
	if (run->count > 1)
		printf("%s: ok, %" PRIu64 " seeds\n", scenario->name,
			run->count);
}

static _Noreturn void
usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: %s [--scenario NAME] [--seed N | --seeds COUNT]\n"
		"Seeds 1 to COUNT (1000), or one, of each scenario:\n",
		program_invocation_short_name);
	for (const struct scenario *s = scenarios; s->name; s++)
		fprintf(status ? stderr : stdout, "  %-10s %s\n", s->name,
			s->claim);
	exit(status);
}

static uint64_t
parse(const char *text)
{
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || strchr(text, '-')) {
		fprintf(stderr, "%s: not a number that fits: %s\n",
			program_invocation_short_name, text);
		exit(2);
	}
	return number;
}

static void
read_options(struct run *run, int argc, char **argv)
{
	static const struct option known[] = {
		{"scenario", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'},
		{"seeds", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'c') {
			run->only = optarg;
		} else if (option == 's') {
			run->first = parse(optarg);
			run->count = 1;
		} else if (option == 'n') {
			run->count = parse(optarg);
		} else {
			usage(option == 'h' ? 0 : 2);
		}
	}
	if (optind < argc || !run->count)
		usage(2);
}

int
main(int argc, char **argv)
{
	struct run run = {.first = 1, .count = 1000};
	unsigned count = 0;

	read_options(&run, argc, argv);
	stay_here();
	for (const struct scenario *s = scenarios; s->name; s++) {
		if (run.only && strcmp(run.only, s->name))
			continue;
		run_scenario(&run, s);
		count++;
	}
	if (!count)
		usage(2);
	return run.failed ? 1 : 0;
}
