/* SPDX-License-Identifier: MIT */
/*
 * array_bench.c - arrays of array.h beside others, side by side.
 *
 *	parent  -- peer, workload -->  a child for each peer
 *	        <-- nanoseconds ----   (its own heap, caches that stay full)
 *
 * In each round every child works once, another one first each time. After
 * some rounds all are started anew, as addresses are luck. Time is the
 * thread's on the processor, so it matters little who else is there. See
 * doc/arrays.md for how to read what it prints.
 *
 *	array_bench [--quick]            the tables
 *	array_bench --peers              the peers' names
 *	array_bench WORKLOAD PEER N      peer number PEER, N times, for callgrind
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/array_peer.h"
#include "bench/series.h"

#define N 1000000
#define GENERATIONS 7
#define ROUNDS 21
#define WARM_UP 10

/* The first is what the others are compared with. */
static const struct array_peer *const peers[] = {
	&array_peer_malloc,
	&array_peer_acre,
	&array_peer_acre_malloc,
	&array_peer_malloc_tuned,
	&array_peer_pmr,
	&array_peer_pmr_monotonic,
};

#define PEERS (sizeof peers / sizeof peers[0])

enum workload { PUSH, CALL, CHAIN, WORKLOADS };

static const struct {
	const char *name, *title;
} workloads[WORKLOADS] = {
	[PUSH] = {"push", "push of 1,000,000 ints"},
	[CALL] = {"call", "the same, by calls of a function"},
	[CHAIN] = {"chain", "filter, map, fold of 1,000,000 ints"},
};

struct child {
	int to, from;
	pid_t pid;
};

static int numbers[N];

static void
die(const char *what)
{
	fprintf(stderr, "array_bench: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static uint64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Random, and the same each time. */
static void
fill(void)
{
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < N; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		numbers[i] = (int)(x % 1000000);
	}
}

static long
expected_sum(void)
{
	long sum = 0;

	for (size_t i = 0; i < N; i++)
		if (numbers[i] % 2 != 0)
			sum += 3 * numbers[i] + 1;
	return sum;
}

/* ---- children --------------------------------------------------------- */

static long
result(const struct array_peer *peer, enum workload workload)
{
	switch (workload) {
	case PUSH:
		return peer->push(array_unknown(N));
	case CALL:
		return peer->call(array_unknown(N));
	default:
		return peer->chain(numbers, array_unknown(N));
	}
}

static uint64_t
work(const struct array_peer *peer, enum workload workload, long expected)
{
	uint64_t begun = now();
	long actual = result(peer, workload);
	uint64_t ns = now() - begun;

	if (actual != (workload == CHAIN ? expected : N - 1)) {
		fprintf(stderr, "array_bench: %s is wrong\n", peer->name);
		exit(EXIT_FAILURE);
	}
	return ns;
}

/* Until the parent closes its end. */
static void
serve(const struct array_peer *peer, int from, int to)
{
	long expected = expected_sum();
	enum workload workload;

	while (read(from, &workload, sizeof workload) == sizeof workload) {
		uint64_t ns = work(peer, workload, expected);

		if (write(to, &ns, sizeof ns) != sizeof ns)
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

static struct child
start(const struct array_peer *peer)
{
	int to[2], from[2];
	pid_t pid;

	if (pipe(to) != 0 || pipe(from) != 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(to[1]);
		close(from[0]);
		serve(peer, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	return (struct child){to[1], from[0], pid};
}

static double
ask(const struct child *child, enum workload workload)
{
	uint64_t ns = 0;

	if (write(child->to, &workload, sizeof workload) != sizeof workload ||
		read(child->from, &ns, sizeof ns) != sizeof ns)
		die("a child has ended");
	return (double)ns;
}

/* ---- rounds ----------------------------------------------------------- */

static void
print(const struct series *times, const char *title)
{
	printf("| %s | ns/int | x malloc | quartiles |\n|---|--:|--:|--:|\n",
		title);
	for (size_t i = 0; i < PEERS; i++) {
		struct series ratio = series_ratio(1, &times[i], &times[0]);
		struct series_summary x = series_sum_up(&ratio);

		printf("| %s | %.2f | %.2f | %.2f-%.2f |\n", peers[i]->name,
			series_sum_up(&times[i]).median / N, x.median, x.low,
			x.high);
	}
	puts("");
}

static void
measure(const struct child *children, enum workload workload,
	struct series *times)
{
	for (size_t round = 0; round < WARM_UP + ROUNDS; round++)
		for (size_t i = 0; i < PEERS; i++) {
			size_t peer = (round + i) % PEERS;
			double ns = ask(&children[peer], workload);

			if (round >= WARM_UP)
				series_add(&times[peer], ns);
		}
}

static void
measure_generation(struct series times[WORKLOADS][PEERS])
{
	struct child children[PEERS];

	for (size_t i = 0; i < PEERS; i++)
		children[i] = start(peers[i]);
	for (enum workload workload = PUSH; workload < WORKLOADS; workload++)
		measure(children, workload, times[workload]);
	/* A later child has the earlier ones' ends too: close all, then wait. */
	for (size_t i = 0; i < PEERS; i++) {
		close(children[i].to);
		close(children[i].from);
	}
	for (size_t i = 0; i < PEERS; i++)
		waitpid(children[i].pid, NULL, 0);
}

static int
measure_all(size_t generations)
{
	static struct series times[WORKLOADS][PEERS];

	while (generations--)
		measure_generation(times);
	for (enum workload workload = PUSH; workload < WORKLOADS; workload++)
		print(times[workload], workloads[workload].title);
	return EXIT_SUCCESS;
}

/* ---- the command line ------------------------------------------------- */

static int
usage(void)
{
	fprintf(stderr, "usage: array_bench [--quick | --peers | "
			"push|call|chain PEER TIMES]\n");
	return 2;
}

static int
print_peers(void)
{
	for (size_t i = 0; i < PEERS; i++)
		puts(peers[i]->name);
	return EXIT_SUCCESS;
}

/* A number of 1 to most, or 0. */
static unsigned long
number(const char *text, unsigned long most)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || n > most ? 0 : n;
}

static int
repeat(const char *name, const char *peer_text, const char *times_text)
{
	size_t peer = number(peer_text, PEERS);
	unsigned long times = number(times_text, 1000000);
	enum workload workload = PUSH;
	long expected = expected_sum();

	while (workload < WORKLOADS && strcmp(name, workloads[workload].name))
		workload++;
	if (workload == WORKLOADS || !peer || !times)
		return usage();
	while (times--)
		work(peers[peer - 1], workload, expected);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	fill();
	if (argc == 1)
		return measure_all(GENERATIONS);
	if (argc == 2 && !strcmp(argv[1], "--quick"))
		return measure_all(1);
	if (argc == 2 && !strcmp(argv[1], "--peers"))
		return print_peers();
	return argc == 4 ? repeat(argv[1], argv[2], argv[3]) : usage();
}
