/* SPDX-License-Identifier: MIT */
/*
 * driver.c - main of every peer's program: runs one workload, in windows.
 *
 *	peer_NAME WORKLOAD THREADS		is asked through its input
 *	peer_NAME WORKLOAD THREADS REQUESTS	one window, for a person
 *
 * Asked through its input, it first says "ready NAME", or "n/a NAME" when
 * the peer cannot do this workload. Then for each line with a number of
 * requests it runs so many in each thread and answers with one line:
 *
 *	ns per request (p99: the 99th percentile of all), share of the time
 *	that others had, ns stolen by the host, bytes resident, bytes of live
 *	objects
 *
 * The threads live as long as the process, so that a window finds what the
 * last one left: full caches, mapped pages. As other programs ran in between,
 * a sixteenth of the requests, and at least 16 if there are so many, warm up
 * the processor again, untimed.
 *
 * Where there are several threads, each has its core, and a request's time is
 * wall-clock time less the time that the thread was ready to run and not
 * running: others had it. With more threads than cores they share them evenly
 * and wait for each other, and a request's time is processor time; what others
 * had is what the cores gave them less than they could have.
 *
 * A peer may have threads of its own (acre has a helper). What the workers
 * wait for them is the peer's cost: it is neither subtracted nor counted as
 * a disturbance.
 *
 * Each core has a table of sizes: a line that two cores read, and nobody
 * writes, is still slower than one's own.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cores.h"
#include "bench/meter.h"
#include "bench/peer.h"
#include "bench/ticks.h"

#define MOST_THREADS 256

struct workload {
	const char *name;
	enum sizes_shape shape;
	uint16_t low, high; /* sizes */
	size_t largest;	    /* size of all */
	size_t spaces;	    /* regions open at once in a thread */
	size_t bytes;	    /* the most in a region */
	size_t objects;	    /* the most in a region */
};

/* In the order of enum bench_workload. */
static const struct workload workloads[BENCH_WORKLOADS] = {
	{"empty", SIZES_UNIFORM, 16, 16, 16, 1, 4096, 1},
	{"tiny", SIZES_UNIFORM, 16, 128, 128, 1, BENCH_TINY_OBJECTS * 128,
		BENCH_TINY_OBJECTS},
	{"typical", SIZES_LOG_UNIFORM, 16, 1024, 1024, 1,
		BENCH_TYPICAL_OBJECTS * 1024, BENCH_TYPICAL_OBJECTS},
	{"heavy", SIZES_LOG_UNIFORM, 16, 2048, BENCH_LARGE_SIZE, 1,
		BENCH_HEAVY_OBJECTS * 2048 + 2 * BENCH_LARGE_SIZE,
		BENCH_HEAVY_OBJECTS + 2},
	{"long", SIZES_UNIFORM, 16, 16, BENCH_LONG_SIZE, 1,
		BENCH_LONG_OBJECTS *BENCH_LONG_SIZE, BENCH_LONG_OBJECTS},
	{"handoff", SIZES_LOG_UNIFORM, 16, 1024, 1024, QUEUE_SLOTS,
		BENCH_TYPICAL_OBJECTS * 1024, BENCH_TYPICAL_OBJECTS},
	{"regions", SIZES_LOG_UNIFORM, 16, 1024, 1024, BENCH_REGIONS_OPEN,
		(1u << 18) + 16, BENCH_REGION_OBJECTS},
	{"p99", SIZES_LOG_UNIFORM, 16, 1024, 1024, 1,
		BENCH_TYPICAL_OBJECTS * 1024, BENCH_TYPICAL_OBJECTS},
};

struct crew;

struct worker {
	pthread_t thread;
	struct crew *crew;
	struct bench_job job;
	int error;
	bool able;
	/* The last window. */
	struct meter_reading before, after;
	uint64_t ticks;
} __attribute__((aligned(128)));

struct crew {
	enum bench_workload workload;
	unsigned threads;
	unsigned cores;
	struct worker *workers;

	pthread_barrier_t everyone; /* the workers and main */
	pthread_barrier_t among_workers;

	/* Written by main before everyone meets. */
	uint64_t warm_up;
	uint64_t requests; /* 0: the end */
};

struct answer {
	double request_ns;
	double lost_share;
	uint64_t stolen_ns;
	size_t resident;
	uint64_t live_bytes;
};

/* ---- a worker -------------------------------------------------------- */

static int
job_start(struct bench_job *job, const struct workload *workload)
{
	char *spaces = calloc(workload->spaces, bench_peer.space_size);
	int error = 0;

	job->thread = calloc(1, bench_peer.thread_size);
	job->times = calloc(BENCH_TIMES, sizeof *job->times);
	job->spaces = spaces;
	if (spaces == NULL || job->thread == NULL || job->times == NULL)
		return ENOMEM;
	for (size_t i = 0; i < workload->spaces && error == 0; i++)
		error = bench_peer.space_start(
			spaces + i * bench_peer.space_size, workload->bytes,
			workload->objects);
	return error != 0 ? error : bench_peer.thread_start(job->thread);
}

static void
worker_measure(struct worker *worker, const struct meter *meter)
{
	struct crew *crew = worker->crew;
	struct bench_job *job = &worker->job;

	if (crew->warm_up > 0)
		bench_peer.run[crew->workload](job, crew->warm_up);
	memset(job->times, 0, BENCH_TIMES * sizeof *job->times);
	pthread_barrier_wait(&crew->among_workers);
	meter_read(meter, &worker->before);
	worker->ticks = ticks_now();
	bench_peer.run[crew->workload](job, crew->requests);
	worker->ticks = ticks_now() - worker->ticks;
	meter_read(meter, &worker->after);
}

static void *
worker_main(void *arg)
{
	struct worker *worker = arg;
	struct crew *crew = worker->crew;
	const struct workload *workload = &workloads[crew->workload];
	struct meter meter;

	if (crew->threads > 1)
		cores_take((unsigned)(worker - crew->workers) % crew->cores);
	worker->error = job_start(&worker->job, workload);
	if (worker->error == 0)
		worker->able =
			bench_peer.run[crew->workload] != NULL &&
			bench_peer.probe(&worker->job, workload->largest);
	meter_open(&meter);
	pthread_barrier_wait(&crew->everyone);
	for (;;) {
		pthread_barrier_wait(&crew->everyone);
		if (crew->requests == 0)
			break;
		worker_measure(worker, &meter);
		pthread_barrier_wait(&crew->everyone);
	}
	meter_close(&meter);
	return NULL;
}

/* ---- the crew -------------------------------------------------------- */

/* The table of worker i's core; NULL: no memory. */
static const uint16_t *
crew_sizes(const struct crew *crew, unsigned i)
{
	const struct workload *workload = &workloads[crew->workload];

	if (i >= crew->cores)
		return crew->workers[i - crew->cores].job.sizes;
	return sizes_make(workload->shape, workload->low, workload->high);
}

static int
crew_prepare(struct crew *crew)
{
	const uint16_t *targets = sizes_make(SIZES_LOG_UNIFORM,
		256 / BENCH_TARGET_UNIT, (1u << 18) / BENCH_TARGET_UNIT);
	struct queue *queue = queue_make();
	size_t bytes = crew->threads * sizeof *crew->workers;

	crew->workers = aligned_alloc(128, bytes);
	if (targets == NULL || queue == NULL || crew->workers == NULL)
		return ENOMEM;
	memset(crew->workers, 0, bytes);
	for (unsigned i = 0; i < crew->threads; i++) {
		crew->workers[i].crew = crew;
		crew->workers[i].job = (struct bench_job){
			.sizes = crew_sizes(crew, i),
			.position = i * (SIZES_COUNT / crew->threads),
			.queue = queue,
			.produces = i == 0,
			.targets = targets,
			.random = 1 + i,
		};
		if (crew->workers[i].job.sizes == NULL)
			return ENOMEM;
	}
	pthread_barrier_init(&crew->everyone, NULL, crew->threads + 1);
	pthread_barrier_init(&crew->among_workers, NULL, crew->threads);
	return bench_peer.start(crew->workload == BENCH_HANDOFF);
}

/* 0, or an errno value; *able says whether the peer can do the workload. */
static int
crew_start(struct crew *crew, bool *able)
{
	int error = crew_prepare(crew);

	for (unsigned i = 0; i < crew->threads && error == 0; i++) {
		struct worker *worker = &crew->workers[i];

		error = pthread_create(
			&worker->thread, NULL, worker_main, worker);
	}
	if (error != 0)
		return error;
	pthread_barrier_wait(&crew->everyone);
	*able = true;
	for (unsigned i = 0; i < crew->threads; i++) {
		if (crew->workers[i].error != 0)
			return crew->workers[i].error;
		*able = *able && crew->workers[i].able;
	}
	return 0;
}

static void
crew_stop(struct crew *crew)
{
	crew->requests = 0;
	pthread_barrier_wait(&crew->everyone);
	for (unsigned i = 0; i < crew->threads; i++)
		pthread_join(crew->workers[i].thread, NULL);
}

/* What the workers used, together, and what the rest of the process did. */
struct usage {
	double cpu_ns, wait_ns;
	double most_ns; /* that the cores could have given them */
	double others_cpu_ns;
};

static double
since(uint64_t before, uint64_t after)
{
	return after > before ? (double)(after - before) : 0;
}

/* From when the first began to when the last on each core ended. */
static double
most_of(const struct crew *crew, uint64_t begin_ns)
{
	double most_ns = 0;

	for (unsigned c = 0; c < crew->cores; c++) {
		double core_ns = 0;

		for (unsigned i = c; i < crew->threads; i += crew->cores)
			core_ns = fmax(core_ns,
				since(begin_ns,
					crew->workers[i].after.wall_ns));
		most_ns += core_ns;
	}
	return most_ns;
}

static struct usage
crew_usage(const struct crew *crew)
{
	const struct worker *w = crew->workers;
	struct meter_reading first = w->before, last = w->after;
	struct usage usage = {0};

	for (unsigned i = 0; i < crew->threads; i++, w++) {
		usage.cpu_ns += since(w->before.cpu_ns, w->after.cpu_ns);
		usage.wait_ns += since(w->before.wait_ns, w->after.wait_ns);
		if (w->before.wall_ns < first.wall_ns)
			first = w->before;
		if (w->after.wall_ns > last.wall_ns)
			last = w->after;
	}
	usage.others_cpu_ns =
		since(first.process_cpu_ns, last.process_cpu_ns) - usage.cpu_ns;
	usage.others_cpu_ns = fmax(usage.others_cpu_ns, 0);
	usage.most_ns = most_of(crew, first.wall_ns);
	return usage;
}

/* Each thread had a core: wall-clock time less the wait for strangers. */
static void
sum_up(const struct crew *crew, const struct usage *usage,
	struct answer *answer)
{
	double strange = fmax(usage->wait_ns - usage->others_cpu_ns, 0);
	double share = usage->wait_ns > 0 ? strange / usage->wait_ns : 0;

	for (unsigned i = 0; i < crew->threads; i++) {
		const struct worker *w = &crew->workers[i];
		double wall = since(w->before.wall_ns, w->after.wall_ns);
		double wait =
			share * since(w->before.wait_ns, w->after.wait_ns);

		answer->request_ns +=
			(wall - wait) / (double)crew->requests / crew->threads;
		answer->lost_share = fmax(answer->lost_share, wait / wall);
		answer->live_bytes += w->job.live_bytes;
	}
}

/* They shared the cores: processor time. What the cores did not give them,
 * strangers had, or nobody: then no worker waited for a core. */
static void
sum_up_crowd(const struct crew *crew, const struct usage *usage,
	struct answer *answer)
{
	double cpu_ns = usage->cpu_ns + usage->others_cpu_ns;
	double lost_ns = fmin(usage->most_ns - cpu_ns, usage->wait_ns);

	answer->request_ns = cpu_ns / (double)crew->requests / crew->threads;
	answer->lost_share = fmax(lost_ns, 0) / usage->most_ns;
}

/* What 99 of 100 requests took at most, of all workers. */
static double
crew_p99(const struct crew *crew)
{
	uint64_t left = crew->requests * crew->threads / 100;
	const struct worker *first = &crew->workers[0];
	double ns = since(first->before.wall_ns, first->after.wall_ns);
	size_t time = BENCH_TIMES;

	for (uint64_t slower = 0; time > 0 && slower <= left; time--)
		for (unsigned i = 0; i < crew->threads; i++)
			slower += crew->workers[i].job.times[time - 1];
	return ((double)time + 0.5) * BENCH_TICKS * ns / (double)first->ticks;
}

static void
crew_run(struct crew *crew, uint64_t warm_up, uint64_t requests,
	struct answer *answer)
{
	struct usage usage;

	*answer = (struct answer){.stolen_ns = meter_stolen()};
	crew->warm_up = warm_up;
	crew->requests = requests;
	pthread_barrier_wait(&crew->everyone);
	pthread_barrier_wait(&crew->everyone);
	answer->stolen_ns = meter_stolen() - answer->stolen_ns;
	usage = crew_usage(crew);
	if (crew->threads > crew->cores)
		sum_up_crowd(crew, &usage, answer);
	else
		sum_up(crew, &usage, answer);
	if (crew->workload == BENCH_P99)
		answer->request_ns = crew_p99(crew);
}

/* ---- asked through the input, or by a person -------------------------- */

static void
serve(struct crew *crew)
{
	size_t baseline = meter_resident();
	char line[64];

	while (fgets(line, sizeof line, stdin) != NULL) {
		uint64_t requests = strtoull(line, NULL, 10);
		struct answer a;

		if (requests == 0)
			break;
		crew_run(crew, requests / 16 + (requests < 16 ? requests : 16),
			requests, &a);
		a.resident = (size_t)since(baseline, meter_resident());
		printf("%.4f %.4f %" PRIu64 " %zu %" PRIu64 "\n", a.request_ns,
			a.lost_share, a.stolen_ns, a.resident, a.live_bytes);
		fflush(stdout);
	}
}

static void
show(struct crew *crew, uint64_t requests)
{
	struct answer a;

	crew_run(crew, 0, requests, &a);
	printf("%s: %s, %u threads: %.2f ns per request, others had %.1f %%\n",
		bench_peer.name, workloads[crew->workload].name, crew->threads,
		a.request_ns, 100 * a.lost_share);
}

static bool
parse(int argc, char **argv, struct crew *crew, uint64_t *requests)
{
	char *end = NULL;
	unsigned long threads;

	if (argc != 3 && argc != 4)
		return false;
	crew->workload = BENCH_EMPTY;
	while (crew->workload < BENCH_WORKLOADS &&
		strcmp(argv[1], workloads[crew->workload].name) != 0)
		crew->workload++;
	threads = strtoul(argv[2], &end, 10);
	crew->threads = (unsigned)threads;
	if (crew->workload == BENCH_WORKLOADS || *end != '\0' || threads < 1 ||
		threads > MOST_THREADS)
		return false;
	if (crew->workload == BENCH_HANDOFF && threads != 2)
		return false;
	if (crew->workload == BENCH_REGIONS && threads != 1)
		return false;
	if (argc == 3)
		return true;
	*requests = strtoull(argv[3], &end, 10);
	return *requests > 0 && *end == '\0';
}

int
main(int argc, char **argv)
{
	static struct crew crew;
	uint64_t requests = 0;
	bool able = false;
	int error;

	crew.cores = cores_count();
	if (!parse(argc, argv, &crew, &requests)) {
		fprintf(stderr, "usage: %s WORKLOAD THREADS [REQUESTS]\n",
			argv[0]);
		return 2;
	}
	error = crew_start(&crew, &able);
	if (error != 0) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(error));
		return 1;
	}
	printf("%s %s\n", able ? "ready" : "n/a", bench_peer.name);
	fflush(stdout);
	if (able && requests > 0)
		show(&crew, requests);
	else if (able)
		serve(&crew);
	crew_stop(&crew);
	return 0;
}
