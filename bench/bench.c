/* SPDX-License-Identifier: MIT */
/*
 * bench.c - runs the peers' programs side by side and prints a table.
 *
 *	round 1:  limit acre malloc apr	   one window each, a few ms of work
 *	round 2:  acre malloc apr limit	   another one begins each time
 *	...
 *
 * A shared machine has slow minutes, so a peer is compared with the limit
 * only within a round: the ratio of a row is the median of the rounds'
 * ratios, with the quartiles behind it. Nanoseconds are medians too, and
 * mean little elsewhere.
 *
 * A window of which other programs or the host had a part is disturbed: it is
 * dropped and counted, and more rounds are run for who lacks some, up to twice
 * as many. Where more than a third of the windows were disturbed, the numbers
 * do not count: such a row is marked and shows what all its windows say, the
 * disturbed ones too, and of a run the last line says so.
 *
 * The processes of a workload, with one thread and with two, live through
 * many rounds, so that their memory is warm; see driver.c. Now and then all
 * are started anew, as a process may be lucky with its addresses.
 */
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/child.h"
#include "bench/cores.h"
#include "bench/series.h"

#define MOST_PEERS 48
#define MOST_VARIANTS 2
#define MOST_WINDOW_MS 10000
#define LIVES 6 /* processes of a lane, one after the other */

/* The share of a window that others had, if it is disturbed. */
#define DISTURBED 0.02

/* The rows are in this order. */
static const struct workload {
	const char *name;
	unsigned threads[MOST_VARIANTS]; /* 0: none */
	bool quick;
	unsigned windows;   /* that one of its own takes */
	const char *memory; /* what a row's is compared with; NULL: no word */
} workloads[] = {
	{"empty", {1, 2}, true, 1, NULL},
	{"tiny", {1, 2}, true, 1, NULL},
	{"typical", {1, 2}, true, 1, NULL},
	{"heavy", {1}, false, 1, NULL},
	{"long", {1}, false, 3, NULL},
	{"handoff", {2}, false, 1, "what it was"},
	{"typical", {64}, false, 1, NULL},
	{"p99", {2}, false, 1, NULL},
	{"regions", {1}, false, 1, "live"},
};

static const struct option long_options[] = {
	{"quick", no_argument, NULL, 'q'},
	{"rounds", required_argument, NULL, 'r'},
	{"window", required_argument, NULL, 'w'},
	{"samples", required_argument, NULL, 's'},
	{"results", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct settings {
	bool quick;
	unsigned rounds;
	unsigned window_ms;
	FILE *samples; /* or NULL */
	FILE *results; /* or NULL */
	char **peers;
	size_t n_peers;
};

/* One peer with one number of threads. */
struct lane {
	struct child child;
	unsigned threads;
	uint64_t requests; /* for a window; 0: out of the race */
	bool failed;
	struct series request_ns;
	struct series all_ns; /* with the disturbed windows */
	double resident;      /* the most of resident_share() */
	size_t resident_first;
	unsigned windows, dropped;
};

struct totals {
	unsigned windows, dropped;
	bool failed;
};

/* ---- one window ------------------------------------------------------ */

static bool
is_disturbed(const struct child_answer *answer)
{
	return answer->stolen_ns > 0 || answer->lost_share > DISTURBED;
}

/* Not started, or died; child.c has said so. */
static void
lane_fail(struct lane *lane)
{
	lane->failed = true;
	lane->requests = 0;
}

/* The number of requests that fills a window; a first, rough one. */
static void
lane_calibrate(struct lane *lane, unsigned window_ms)
{
	double wanted_ns = window_ms * 1e6;
	double took_ns = 0;
	struct child_answer answer;

	if (lane->threads > cores_count())
		wanted_ns *= (double)cores_count() / lane->threads;
	lane->requests = 1;
	while (child_run(&lane->child, lane->requests, &answer)) {
		took_ns = answer.request_ns * (double)lane->requests;
		if (took_ns >= wanted_ns / 8) {
			double n = (double)lane->requests * wanted_ns / took_ns;

			lane->requests = n < 1 ? 1 : (uint64_t)n;
			return;
		}
		lane->requests *= 4;
	}
	lane_fail(lane);
}

static void
save_sample(FILE *samples, const struct lane *lane, const char *workload,
	const struct child_answer *answer, bool disturbed)
{
	if (samples == NULL)
		return;
	fprintf(samples, "%s\t%u\t%s\t%u\t%.4f\t%.4f\t%zu\t%d\n", workload,
		lane->threads, lane->child.name, lane->windows,
		answer->request_ns, answer->lost_share, answer->resident,
		disturbed);
}

/* Over the bytes of live objects; where that is not a number, over what this
 * process held after its first window. */
static double
resident_share(struct lane *lane, const struct child_answer *answer)
{
	if (lane->resident_first == 0)
		lane->resident_first = answer->resident;
	return (double)answer->resident /
	       (double)(answer->live_bytes > 0 ? answer->live_bytes
					       : lane->resident_first);
}

/* Without a window, this round. */
static void
lane_rest(struct lane *lane)
{
	series_add(&lane->request_ns, NAN);
	series_add(&lane->all_ns, NAN);
}

static void
lane_run(struct lane *lane, const char *workload, FILE *samples)
{
	struct child_answer answer;
	bool disturbed;

	if (!child_run(&lane->child, lane->requests, &answer)) {
		lane_fail(lane);
		return;
	}
	disturbed = is_disturbed(&answer);
	lane->windows++;
	lane->dropped += disturbed;
	series_add(&lane->request_ns, disturbed ? NAN : answer.request_ns);
	series_add(&lane->all_ns, answer.request_ns);
	lane->resident = fmax(lane->resident, resident_share(lane, &answer));
	save_sample(samples, lane, workload, &answer, disturbed);
}

/* ---- one workload ---------------------------------------------------- */

static size_t
lanes_start(struct lane *lanes, const struct workload *workload,
	const struct settings *settings)
{
	size_t n = 0;

	for (size_t v = 0; v < MOST_VARIANTS; v++) {
		unsigned threads = workload->threads[v];

		for (size_t p = 0; threads > 0 && p < settings->n_peers; p++) {
			struct lane *lane = &lanes[n++];

			*lane = (struct lane){.threads = threads};
			if (!child_start(&lane->child, settings->peers[p],
				    workload->name, threads))
				lane_fail(lane);
			else if (lane->child.able)
				lane_calibrate(
					lane, workload->windows *
						      settings->window_ms);
		}
	}
	return n;
}

static void
lanes_restart(struct lane *lanes, size_t n, const struct workload *workload)
{
	for (size_t i = 0; i < n; i++) {
		struct lane *lane = &lanes[i];
		const char *program = lane->child.program;

		if (lane->requests == 0)
			continue;
		child_stop(&lane->child);
		lane->resident_first = 0;
		if (!child_start(&lane->child, program, workload->name,
			    lane->threads) ||
			!lane->child.able)
			lane_fail(lane);
	}
}

static const struct lane *
find_lane(
	const struct lane *lanes, size_t n, const char *name, unsigned threads)
{
	for (size_t i = 0; i < n; i++)
		if (lanes[i].threads == threads && lanes[i].requests > 0 &&
			strcmp(lanes[i].child.name, name) == 0)
			return &lanes[i];
	return NULL;
}

static bool
is_limit(const struct lane *lane)
{
	return strcmp(lane->child.name, "limit") == 0;
}

/* In how many rounds both have a number. */
static size_t
rounds_together(const struct lane *a, const struct lane *b)
{
	struct series ratio = series_ratio(1, &a->request_ns, &b->request_ns);

	return series_sum_up(&ratio).n;
}

/* Whether a peer has its rounds together with the limit; with itself, where
 * there is none. */
static bool
is_enough(const struct lane *lanes, size_t n, const struct lane *lane,
	unsigned wanted)
{
	const struct lane *limit = find_lane(lanes, n, "limit", lane->threads);

	return lane->requests == 0 ||
	       rounds_together(lane, limit != NULL ? limit : lane) >= wanted;
}

/* Who has a window in this round: all, and then those that lack some, with
 * the limit. Returns how many. */
static size_t
choose(const struct lane *lanes, size_t n, unsigned round, unsigned wanted,
	bool *runs)
{
	size_t chosen = 0;

	for (size_t i = 0; i < n; i++) {
		runs[i] = lanes[i].requests > 0 && round < 2 * wanted &&
			  (round < wanted ||
				  !is_enough(lanes, n, &lanes[i], wanted));
		chosen += runs[i];
	}
	for (size_t i = 0; i < n && chosen > 0; i++)
		runs[i] |= lanes[i].requests > 0 && is_limit(&lanes[i]);
	return chosen;
}

static void
lanes_run(struct lane *lanes, size_t n, const struct workload *workload,
	const struct settings *settings)
{
	unsigned wanted = settings->rounds;
	bool runs[MOST_PEERS * MOST_VARIANTS];

	for (unsigned r = 0; choose(lanes, n, r, wanted, runs) > 0; r++) {
		if (r > 0 && r % (wanted / LIVES + 1) == 0)
			lanes_restart(lanes, n, workload);
		for (size_t i = 0; i < n; i++) {
			size_t next = (i + r) % n;

			if (runs[next])
				lane_run(&lanes[next], workload->name,
					settings->samples);
			else
				lane_rest(&lanes[next]);
		}
	}
}

/* ---- the table ------------------------------------------------------- */

static void
print_head(const struct settings *settings)
{
	printf("%u cores; windows of %u ms; %u rounds, or up to %u when "
	       "some are disturbed.\n\n",
		cores_count(), settings->window_ms, settings->rounds,
		2 * settings->rounds);
	puts("| workload | threads | peer | ns/request | x limit | quartiles |"
	     " dropped | |");
	puts("|---|--:|---|--:|--:|--:|--:|---|");
}

/* What a lane has to say. */
struct row {
	struct series_summary ns;
	struct series_summary ratio; /* to the limit */
	double gain;		     /* throughput against one thread, or NAN */
	bool counts;
};

static bool
is_quiet(const struct lane *lane)
{
	return lane == NULL || 3 * lane->dropped <= lane->windows;
}

static const struct series *
times_of(const struct lane *lane, bool counts)
{
	return counts ? &lane->request_ns : &lane->all_ns;
}

static struct row
sum_up(const struct lane *lane, const struct lane *limit,
	const struct lane *single)
{
	bool counts = is_quiet(lane) && is_quiet(limit) && is_quiet(single);
	const struct series *ns = times_of(lane, counts);
	struct series gain = {.rounds = 0}, ratio = {.rounds = 0};

	if (limit != NULL)
		ratio = series_ratio(1, ns, times_of(limit, counts));
	if (single != NULL && single != lane)
		gain = series_ratio(
			lane->threads, times_of(single, counts), ns);
	return (struct row){
		.ns = series_sum_up(ns),
		.ratio = series_sum_up(&ratio),
		.gain = series_sum_up(&gain).median,
		.counts = counts,
	};
}

static void
print_row(const struct row *row, const struct lane *lane, const char *memory)
{
	printf(" %.*f |", row->ns.median < 1000 ? 1 : 0, row->ns.median);
	if (row->ratio.n == 0)
		printf(" - | - |");
	else
		printf(" %.2f | %.2f..%.2f |", row->ratio.median,
			row->ratio.low, row->ratio.high);
	printf(" %u/%u%s |", lane->dropped, lane->windows,
		row->counts ? "" : "!");
	if (!isnan(row->gain))
		printf(" %.2fx one thread", row->gain);
	if (memory != NULL)
		printf(" resident %.3f of %s", lane->resident, memory);
	puts(" |");
}

/* For gates.sh and charts.sh. */
static void
save_row(FILE *results, const struct row *row, const struct lane *lane,
	const char *workload)
{
	if (results == NULL)
		return;
	fprintf(results, "%s\t%u\t%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t",
		workload, lane->threads, lane->child.name, row->ns.median,
		row->ratio.median, row->ratio.low, row->ratio.high, row->gain,
		lane->resident);
	fprintf(results, "%u\t%u\t%s\n", lane->dropped, lane->windows,
		row->counts ? "counts" : "disturbed");
}

static void
print_lane(const struct lane *lanes, size_t n, const struct lane *lane,
	const struct workload *workload, FILE *results)
{
	const char *name = lane->child.name;
	struct row row;

	printf("| %s | %u | %s |", workload->name, lane->threads,
		lane->failed ? lane->child.program : name);
	if (lane->requests == 0) {
		printf(" %s | - | - | - | |\n", lane->failed ? "died" : "n/a");
		return;
	}
	row = sum_up(lane, find_lane(lanes, n, "limit", lane->threads),
		find_lane(lanes, n, name, 1));
	print_row(&row, lane, workload->memory);
	save_row(results, &row, lane, workload->name);
}

static void
run_workload(const struct workload *workload, const struct settings *settings,
	struct totals *totals)
{
	static struct lane lanes[MOST_PEERS * MOST_VARIANTS];
	size_t n = lanes_start(lanes, workload, settings);

	lanes_run(lanes, n, workload, settings);
	for (size_t i = 0; i < n; i++) {
		const struct lane *lane = &lanes[i];

		totals->windows += lane->windows;
		totals->dropped += lane->dropped;
		totals->failed |= lane->failed;
		print_lane(lanes, n, lane, workload, settings->results);
	}
	for (size_t i = 0; i < n; i++)
		child_stop(&lanes[i].child);
	fflush(stdout);
}

static void
print_totals(const struct totals *totals, FILE *results)
{
	bool counts = 3 * totals->dropped <= totals->windows;

	printf("\n%u of %u windows were disturbed and dropped.",
		totals->dropped, totals->windows);
	puts(counts ? ""
		    : " That is more than a third: this run does not count.");
	if (results != NULL)
		fprintf(results, "run\t%u\t%u\t%s\n", totals->dropped,
			totals->windows, counts ? "counts" : "disturbed");
}

/* ---- the command line ------------------------------------------------ */

static bool
parse_number(const char *text, unsigned most, unsigned *number)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*number = (unsigned)n;
	return *text != '\0' && *end == '\0' && n >= 1 && n <= most;
}

static bool
parse_option(int option, struct settings *settings)
{
	switch (option) {
	case 'q':
		settings->quick = true;
		return true;
	case 'r':
		return parse_number(optarg, SERIES_MOST / 2, &settings->rounds);
	case 'w':
		return parse_number(
			optarg, MOST_WINDOW_MS, &settings->window_ms);
	case 's':
		settings->samples = fopen(optarg, "w");
		return settings->samples != NULL;
	case 'o':
		settings->results = fopen(optarg, "w");
		return settings->results != NULL;
	default:
		return false;
	}
}

static bool
parse(int argc, char **argv, struct settings *settings)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!parse_option(option, settings))
			return false;
	settings->peers = argv + optind;
	settings->n_peers = (size_t)(argc - optind);
	if (settings->rounds == 0)
		settings->rounds = settings->quick ? 11 : 21;
	if (settings->window_ms == 0)
		settings->window_ms = 30;
	return settings->n_peers >= 1 && settings->n_peers <= MOST_PEERS;
}

int
main(int argc, char **argv)
{
	struct settings settings = {0};
	struct totals totals = {0};

	if (!parse(argc, argv, &settings)) {
		fprintf(stderr,
			"usage: bench [--quick] [--rounds N] [--window MS] "
			"[--samples FILE] [--results FILE] PROGRAM...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	print_head(&settings);
	for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
		if (workloads[i].quick || !settings.quick)
			run_workload(&workloads[i], &settings, &totals);
	print_totals(&totals, settings.results);
	if (settings.samples != NULL && fclose(settings.samples) != 0)
		totals.failed = true;
	if (settings.results != NULL && fclose(settings.results) != 0)
		totals.failed = true;
	return totals.failed ? 1 : 0;
}
