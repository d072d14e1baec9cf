/* SPDX-License-Identifier: MIT */
/*
 * sharing.c - what threads share, counted: atomic read-modify-writes, failed
 * compare-and-swaps and transfers of cache lines, for 1 to 256 threads on a
 * machine of any size. See doc/scale.md.
 *
 *	sharing			a table
 *	sharing --gates		few threads, and whether gates hold
 *	sharing --data FILE	also all numbers, for charts
 *
 * counted.c plays each atomic operation of lib/, shared_work.c has the threads
 * and what they do; here are the tables and the gates.
 */
#include <stdio.h>
#include <string.h>

#include "bench/queueing.h"
#include "bench/shared_work.h"

struct settings {
	bool gates;
	FILE *data; /* or NULL */
};

static double
share(uint64_t n, double of)
{
	return of > 0 ? (double)n / of : 0;
}

/* How many cores' worth of work gets done, when a transfer takes so long. */
static double
gain(const struct counts *counts, unsigned threads, double work, double cost)
{
	static double demands[LINES_MOST];

	for (size_t i = 0; i < counts->lines; i++)
		demands[i] = cost * counts->transfers[i] / counts->regions;
	return work *
	       queueing_throughput(threads, work, demands, counts->lines);
}

static void
save(FILE *data, const struct design *design, const struct workload *workload,
	unsigned threads, bool in_step, const struct counts *counts)
{
	static const double costs[] = {50, 100, 200};

	fprintf(data, "%s\t%s\t%s\t%u\t%.5f\t%.5f\t%.5f\t%.5f\t%zu",
		design->name, workload->name, in_step ? "in step" : "in turn",
		threads, share(counts->sum.rmws, counts->regions),
		share(counts->sum.rmws, counts->pages),
		share(counts->sum.failed, counts->pages),
		share(counts->sum.transfers, counts->regions),
		counts->sum.lines);
	for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
		fprintf(data, "\t%.3f", gain(counts, threads, 100, costs[i]));
	fprintf(data, "\t%.3f\n", gain(counts, threads, 1000, 100));
}

static void
print_counts(const struct workload *workload, unsigned threads, bool in_step,
	const struct counts *counts)
{
	printf("| %s, %s | %u | %.4f | ", workload->title,
		in_step ? "in step" : "in turn", threads,
		share(counts->sum.rmws, counts->regions));
	if (counts->pages > 0)
		printf("%.4f | %.4f | ", share(counts->sum.rmws, counts->pages),
			share(counts->sum.failed, counts->pages));
	else
		printf("- | - | ");
	printf("%.3f | %zu |\n", share(counts->sum.transfers, counts->regions),
		counts->sum.lines);
}

/* What the gates are about. */
struct worst {
	double own;  /* read-modify-writes for a region, own regions */
	double pool; /* for a page through the pool */
};

static void
note(struct worst *worst, const struct workload *workload, bool in_step,
	const struct counts *counts)
{
	double page = share(counts->sum.rmws, counts->pages);
	double region = share(counts->sum.rmws, counts->regions);

	if (workload == &workloads[0] && worst->own < region)
		worst->own = region;
	if (!in_step && worst->pool < page)
		worst->pool = page;
}

static void
run_one(const struct settings *settings, const struct design *design,
	const struct workload *workload, unsigned threads, bool in_step,
	struct worst *worst)
{
	static struct counts counts;

	if (threads < workload->threads_least)
		return;
	shared_work_count(design, workload, threads, in_step, &counts);
	if (settings->data)
		save(settings->data, design, workload, threads, in_step,
			&counts);
	if (design != &designs[0])
		return;
	print_counts(workload, threads, in_step, &counts);
	note(worst, workload, in_step, &counts);
}

static void
run(const struct settings *settings, const struct design *design,
	unsigned threads, struct worst *worst)
{
	for (size_t w = 0; w < WORKLOADS; w++) {
		run_one(settings, design, &workloads[w], threads, false, worst);
		if (design == &designs[0])
			run_one(settings, design, &workloads[w], threads, true,
				worst);
	}
}

static int
print_worst(const struct worst *worst)
{
	bool holds = worst->own <= 0 && worst->pool <= 0.1;

	puts("\n| read-modify-writes on shared lines | | gate |");
	puts("|---|--:|--:|");
	printf("| own regions, per region | %.4f | 0 |\n", worst->own);
	printf("| most of all, per page through the pool | %.4f | 0.1 |\n",
		worst->pool);
	return holds ? 0 : 1;
}

static bool
parse(int argc, char **argv, struct settings *settings)
{
	if (argc == 2 && strcmp(argv[1], "--gates") == 0)
		settings->gates = true;
	else if (argc == 3 && strcmp(argv[1], "--data") == 0)
		settings->data = fopen(argv[2], "w");
	else if (argc != 1)
		return false;
	return argc != 3 || settings->data != NULL;
}

int
main(int argc, char **argv)
{
	struct settings settings = {0};
	struct worst worst = {0};

	if (!parse(argc, argv, &settings)) {
		fprintf(stderr, "usage: %s [--gates | --data FILE]\n", argv[0]);
		return 2;
	}
	puts("| | threads | RMWs a region | a page | failed, a page | "
	     "transfers a region | lines |");
	puts("|---|--:|--:|--:|--:|--:|--:|");
	for (unsigned threads = 1;
		threads <= (settings.gates ? 16u : THREADS_MOST); threads *= 4)
		for (size_t d = 0; d < (settings.data ? DESIGNS : 1); d++)
			run(&settings, &designs[d], threads, &worst);
	if (settings.data && fclose(settings.data) != 0)
		return 1;
	return print_worst(&worst);
}
