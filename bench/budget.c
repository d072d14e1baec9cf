/* SPDX-License-Identifier: MIT */
/*
 * budget.c - what a budget costs, for each block and each region.
 *
 *	budget			a table in Markdown, some ten seconds
 *	budget LOOP DEPTH N	one of the loops N times, for instructions.sh;
 *				DEPTH budgets above each other, 0: none
 *
 * A block is a large object of 16 KiB, allocated and freed: charged and
 * discharged once each, whatever the thread has learned. Times are wall-clock
 * time less what a thread waited for a core; all rows take turns in each
 * round, and a ratio is the median of the rounds' ratios to the row without a
 * budget.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <acre/acre.h>

#include "bench/meter.h"

#define BLOCK ((size_t)16384)
#define ROUNDS 21
#define CALLS 100000
#define THREADS 2
#define DEPTH_MOST 8

struct task {
	acre_pool *pool;
	acre_budget *budget; /* NULL: none */
	void (*loop)(const struct task *task);
	unsigned long n;
	pthread_barrier_t *start;
	double ns; /* a call */
};

static inline __attribute__((always_inline)) void
show(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

static acre_region *
open_region(const struct task *task)
{
	acre_region_options options = {.budget = task->budget};
	acre_region *region = task->budget ?
		acre_region_open_with(task->pool, &options) :
		acre_region_open(task->pool);

	if (region == NULL) {
		perror("budget");
		exit(1);
	}
	return region;
}

static void
loop_region(const struct task *task)
{
	for (unsigned long i = 0; i < task->n; i++) {
		acre_region *region = open_region(task);

		show(region);
		acre_region_close(region);
	}
}

static void
loop_block(const struct task *task)
{
	acre_region *region = open_region(task);

	for (unsigned long i = 0; i < task->n; i++) {
		void *p = acre_alloc(region, BLOCK);

		show(p);
		acre_free(region, p, BLOCK);
	}
	acre_region_close(region);
}

/* ---- budgets ---- */

static acre_budget *
make(unsigned depth)
{
	acre_budget *budget = NULL;

	for (; depth; depth--) {
		budget = acre_budget_create(budget, (size_t)1 << 40);
		if (budget == NULL) {
			perror("budget");
			exit(1);
		}
	}
	return budget;
}

/* ---- times ---- */

static const struct {
	const char *name;
	unsigned depth;
} rows[] = {
	{"no budget", 0},
	{"a budget", 1},
	{"and 1 ancestor", 2},
	{"and 3 ancestors", 4},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
	const char *name;
	void (*loop)(const struct task *task);
	unsigned threads;
} columns[] = {
	{"block", loop_block, 1},
	{"region", loop_region, 1},
	{"block, 2 threads", loop_block, THREADS},
	{"region, 2 threads", loop_region, THREADS},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static double times[COLUMNS][ROWS][ROUNDS];

static void *
run(void *argument)
{
	struct task *task = argument;
	struct meter meter;
	struct meter_reading before, after;
	uint64_t ns;

	meter_open(&meter);
	task->loop(task); /* the cache is filled */
	pthread_barrier_wait(task->start);
	meter_read(&meter, &before);
	task->loop(task);
	meter_read(&meter, &after);
	meter_close(&meter);
	ns = (after.wall_ns - before.wall_ns) -
		(after.wait_ns - before.wait_ns);
	task->ns = (double)ns / (double)task->n;
	return NULL;
}

/* The mean of the threads. They share the budgets. */
static double
measure(acre_pool *pool, acre_budget *budget, size_t column)
{
	unsigned threads = columns[column].threads;
	struct task tasks[THREADS];
	pthread_t others[THREADS];
	pthread_barrier_t start;
	double sum = 0;

	pthread_barrier_init(&start, NULL, threads);
	for (unsigned i = threads; i-- > 0;) {
		tasks[i] = (struct task){.pool = pool, .budget = budget,
			.loop = columns[column].loop, .n = CALLS,
			.start = &start};
		if (i == 0)
			run(&tasks[0]);
		else if (pthread_create(&others[i], NULL, run, &tasks[i]))
			exit(1);
	}
	for (unsigned i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	for (unsigned i = 0; i < threads; i++)
		sum += tasks[i].ns;
	pthread_barrier_destroy(&start);
	return sum / threads;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(const double *values, const double *over)
{
	double sorted[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		sorted[i] = over ? values[i] / over[i] : values[i];
	qsort(sorted, ROUNDS, sizeof(sorted[0]), compare);
	return sorted[ROUNDS / 2];
}

static void
print_table(void)
{
	printf("| ns (x no budget) |");
	for (size_t c = 0; c < COLUMNS; c++)
		printf(" %s |", columns[c].name);
	printf("\n|---|");
	for (size_t c = 0; c < COLUMNS; c++)
		printf("--:|");
	for (size_t r = 0; r < ROWS; r++) {
		printf("\n| %s |", rows[r].name);
		for (size_t c = 0; c < COLUMNS; c++)
			printf(" %.0f (%.2f) |", median(times[c][r], NULL),
				median(times[c][r], times[c][0]));
	}
	printf("\n");
}

static void
measure_all(acre_pool *pool)
{
	acre_budget *budgets[ROWS];

	for (size_t r = 0; r < ROWS; r++)
		budgets[r] = make(rows[r].depth);
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t c = 0; c < COLUMNS; c++)
			for (size_t r = 0; r < ROWS; r++)
				times[c][r][round] =
					measure(pool, budgets[r], c);
	print_table();
}

int
main(int argc, char **argv)
{
	acre_pool *pool = acre_pool_create(NULL);
	struct task task = {.pool = pool};
	char *end = NULL;
	unsigned long depth = argc == 4 ? strtoul(argv[2], &end, 10) : 0;

	if (argc == 4 && strcmp(argv[1], "block") == 0)
		task.loop = loop_block;
	else if (argc == 4 && strcmp(argv[1], "region") == 0)
		task.loop = loop_region;
	if (argc != 1 && (task.loop == NULL || *end || depth > DEPTH_MOST)) {
		fprintf(stderr, "usage: budget [block|region DEPTH N]\n");
		return 2;
	}
	if (argc == 1) {
		measure_all(pool);
		return 0;
	}
	task.budget = make((unsigned)depth);
	task.n = strtoul(argv[3], NULL, 10);
	task.loop(&task);
	return acre_pool_destroy(pool);
}
