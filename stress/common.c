/* SPDX-License-Identifier: MIT */
/*
 * common.c - the stress programs' options, clock, chance and verdict.
 */
#include "stress/common.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/atomic.h"

/* How long after its time a run counts as hung. */
#define WATCHDOG_SECONDS 30

#define THREADS_MOST 1000
#define SECONDS_MOST 1000000
#define FAILURES_PRINTED 8

struct stress_options stress;

static struct timespec begun;
static pthread_barrier_t meeting;
static bool last_round; /* written by one between two barriers */
static uint64_t rounds;
static _Atomic(unsigned) failures;

/* ---- options ---- */

static void
print_usage(FILE *to, const char *purpose)
{
	fprintf(to,
		"usage: %s [--threads N] [--seconds N] [--seed N] [--help]\n"
		"%s\n"
		"Defaults: %u threads, %u seconds, a seed from the clock.\n",
		program_invocation_short_name, purpose, stress.threads,
		stress.seconds);
}

static _Noreturn void
refuse(const char *why, const char *what)
{
	fprintf(stderr, "%s: %s %s; see --help\n",
		program_invocation_short_name, why, what);
	exit(2);
}

/* The number that text is, at least least and at most most. */
static uint64_t
parse(const char *text, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || strchr(text, '-') ||
		number < least || number > most)
		refuse("not a number that fits:", text);
	return number;
}

static void
read_options(int argc, char **argv, const char *purpose)
{
	static const struct option known[] = {
		{"threads", required_argument, NULL, 't'},
		{"seconds", required_argument, NULL, 's'},
		{"seed", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 't') {
			stress.threads =
				(unsigned)parse(optarg, 1, THREADS_MOST);
		} else if (option == 's') {
			stress.seconds =
				(unsigned)parse(optarg, 1, SECONDS_MOST);
		} else if (option == 'r') {
			stress.seed = parse(optarg, 0, UINT64_MAX);
		} else if (option == 'h') {
			print_usage(stdout, purpose);
			exit(0);
		} else {
			exit(2); /* getopt_long has said why */
		}
	}
	if (optind < argc)
		refuse("not an option:", argv[optind]);
}

/* ---- time ---- */

double
stress_elapsed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begun.tv_sec) +
		(double)(now.tv_nsec - begun.tv_nsec) * 1e-9;
}

bool
stress_has_failed(void)
{
	return load_relaxed(&failures) > 0;
}

bool
stress_goes_on(void)
{
	return !stress_has_failed() && stress_elapsed() < stress.seconds;
}

void
stress_pause_ms(unsigned milliseconds)
{
	struct timespec time = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = (long)(milliseconds % 1000) * 1000000,
	};

	while (nanosleep(&time, &time))
		;
}

static void
on_alarm(int unused)
{
	static const char line[] = "FAILED: hung, ended by the watchdog\n";

	(void)unused;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(3);
	_exit(1);
}

void
stress_begin(int argc, char **argv, const char *purpose, unsigned threads,
	bool even)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	stress.threads = threads;
	stress.seconds = 1;
	stress.seed = (uint64_t)now.tv_sec * 1000000 +
		(uint64_t)now.tv_nsec / 1000;
	read_options(argc, argv, purpose);
	if (even && stress.threads % 2)
		refuse("the number of threads must be", "even");
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%s: seed %" PRIu64 ", %u threads, %u s\n",
		program_invocation_short_name, stress.seed, stress.threads,
		stress.seconds);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	pthread_barrier_init(&meeting, NULL, stress.threads);
	signal(SIGALRM, on_alarm);
	alarm(stress.seconds + WATCHDOG_SECONDS);
}

/* ---- rounds ---- */

bool
stress_meet(void (*check)(void))
{
	if (pthread_barrier_wait(&meeting) == PTHREAD_BARRIER_SERIAL_THREAD) {
		check();
		rounds++;
		last_round = !stress_goes_on();
	}
	pthread_barrier_wait(&meeting);
	return !last_round;
}

uint64_t
stress_rounds(void)
{
	return rounds;
}

/* ---- verdict ---- */

void
stress_fail(const char *format, ...)
{
	char line[256];
	va_list ap;

	if (add_relaxed(&failures, 1) >= FAILURES_PRINTED)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	fprintf(stderr, "%s: FAILED: %s\n", program_invocation_short_name,
		line);
}

int
stress_end(const char *format, ...)
{
	unsigned failed = load_relaxed(&failures);
	va_list ap;

	printf("%s: %s, %.1f s, ", program_invocation_short_name,
		failed ? "FAILED" : "ok", stress_elapsed());
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf(", seed %" PRIu64 "\n", stress.seed);
	return failed ? 1 : 0;
}

/* ---- threads, memory, chance ---- */

void *
stress_malloc(size_t size)
{
	void *p = malloc(size);

	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(3);
	}
	return p;
}

void
stress_thread(pthread_t *thread, void *(*body)(void *), void *argument)
{
	int error = pthread_create(thread, NULL, body, argument);

	if (error) {
		fprintf(stderr, "no thread: %s\n", strerror(error));
		exit(3);
	}
}

size_t
stress_resident_bytes(void)
{
	unsigned long all, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file)
		return 0;
	if (fscanf(file, "%lu %lu", &all, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014. */
uint64_t
chance_next(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

struct chance
chance_of(uint64_t stream)
{
	struct chance chance = {stress.seed};

	chance.state = chance_next(&chance) + stream;
	chance.state = chance_next(&chance);
	return chance;
}

size_t
chance_size(struct chance *chance, size_t most)
{
	size_t limit = most;

	for (size_t halvings = chance_below(chance, 5); halvings; halvings--)
		limit = limit > 1 ? limit / 2 : 1;
	return 1 + chance_below(chance, limit);
}

/* ---- what must be true of a pool ---- */

void
tally_add(struct tally *sum, const struct tally *more)
{
	sum->opened += more->opened;
	sum->closed += more->closed;
	sum->pages_taken += more->pages_taken;
	sum->bytes_held += more->bytes_held;
}

static size_t
page_size_of(const acre_pool_options *options)
{
	return options->page_size ? options->page_size :
				    (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
chunk_size_of(const acre_pool_options *options)
{
	return options->chunk_size ? options->chunk_size :
				     256 * page_size_of(options);
}

/* What one thread's cache holds at most. */
static size_t
cache_size_of(const acre_pool_options *options)
{
	size_t page = page_size_of(options);
	size_t most = options->cache_bytes ? options->cache_bytes : 512 * page;

	return most < 2 * page ? 2 * page : most;
}

static void
check_equal(const char *what, uint64_t is, uint64_t should_be)
{
	if (is != should_be)
		stress_fail("%s is %" PRIu64 ", not %" PRIu64, what, is,
			should_be);
}

static void
check_at_most(const char *what, uint64_t is, uint64_t most)
{
	if (is > most)
		stress_fail("%s is %" PRIu64 ", more than %" PRIu64, what, is,
			most);
}

void
stress_check_at_rest(acre_pool *pool, const acre_pool_options *options,
	const struct tally *known)
{
	acre_stats s;

	acre_pool_stats(pool, &s);
	check_equal("chunk_bytes", s.chunk_bytes,
		s.region_bytes + s.cache_bytes + s.free_bytes + s.limbo_bytes +
			s.uncarved_bytes + s.slack_bytes);
	check_equal("regions_open", s.regions_open,
		s.regions_opened - s.regions_closed - s.regions_retired);
	check_equal("regions_opened", s.regions_opened, known->opened);
	check_equal("regions_closed", s.regions_closed, known->closed);
	check_equal("pages_taken", s.pages_taken, known->pages_taken);
	check_equal("region_bytes", s.region_bytes, known->bytes_held);
	check_at_most("cache_bytes", s.cache_bytes,
		s.caches * cache_size_of(options));
	check_equal("chunks", s.chunks * chunk_size_of(options),
		s.chunk_bytes);
	if (options->max_bytes)
		check_at_most("chunk_bytes", s.chunk_bytes,
			options->max_bytes);
}

size_t
stress_bound(const acre_pool_options *options, size_t peak_bytes,
	size_t largest_region_bytes, unsigned threads)
{
	size_t per_thread = cache_size_of(options) + largest_region_bytes;

	return peak_bytes + threads * per_thread + chunk_size_of(options);
}

size_t
stress_region_bytes(size_t page_size, size_t objects)
{
	size_t first = page_size > 32768 ? page_size : 32768;

	return first + 2 * objects * page_size;
}

void
stress_check_bound(acre_pool *pool, size_t bound)
{
	acre_stats s;

	acre_pool_stats(pool, &s);
	check_at_most("chunk_bytes - slack_bytes",
		s.chunk_bytes - s.slack_bytes, bound);
}

static int
compare_addresses(const void *a, const void *b)
{
	acre_region *const *first = a, *const *second = b;
	uintptr_t x = (uintptr_t)*first, y = (uintptr_t)*second;

	return (x > y) - (x < y);
}

/* Each region is one page, and begins where its page does. */
static void
check_distinct(acre_region **regions, size_t count, size_t page)
{
	qsort(regions, count, sizeof(*regions), compare_addresses);
	for (size_t i = 1; i < count; i++)
		if ((uintptr_t)regions[i] - (uintptr_t)regions[i - 1] < page)
			stress_fail("page %p is there twice",
				(void *)regions[i]);
}

void
stress_check_pages(acre_pool *pool, const acre_pool_options *options)
{
	size_t page = page_size_of(options);
	size_t count, opened = 0;
	acre_region **regions;
	acre_stats before, after;

	acre_pool_stats(pool, &before);
	count = (before.chunk_bytes - before.slack_bytes) / page;
	regions = stress_malloc((count + 1) * sizeof(*regions));
	/* The limit keeps a region to one page. */
	while (opened < count &&
		(regions[opened] = acre_region_open_with(pool,
			 &(acre_region_options){.max_bytes = page})) != NULL)
		opened++;
	acre_pool_stats(pool, &after);
	check_equal("pages that could be taken", opened, count);
	check_equal("chunk_bytes when all pages are taken",
		after.chunk_bytes, before.chunk_bytes);
	check_distinct(regions, opened, page);
	while (opened)
		acre_region_close(regions[--opened]);
	free(regions);
}

void
stress_destroy(acre_pool *pool)
{
	acre_region *region = acre_region_open(pool);

	if (region && acre_pool_destroy(pool) != EBUSY)
		stress_fail("a pool with an open region was destroyed");
	acre_region_close(region);
	if (acre_pool_destroy(pool))
		stress_fail("a pool without open regions was not destroyed");
}
