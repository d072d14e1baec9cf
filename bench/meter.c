/* SPDX-License-Identifier: MIT */
/*
 * meter.c - what a thread used, and what the process holds.
 *
 * All of it is the kernel's own account: the time that a thread waited for a
 * core is the second number of its schedstat. Where the kernel does not say,
 * the answer is 0 and nothing is subtracted.
 */
#include "bench/meter.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000u

static uint64_t
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t
read_wait(const struct meter *meter)
{
	char text[96];
	uint64_t wait;
	ssize_t length;

	if (meter->file < 0)
		return 0;
	length = pread(meter->file, text, sizeof text - 1, 0);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	return sscanf(text, "%*u %" SCNu64, &wait) == 1 ? wait : 0;
}

void
meter_open(struct meter *meter)
{
	meter->file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void
meter_read(const struct meter *meter, struct meter_reading *reading)
{
	reading->process_cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID);
	reading->wait_ns = read_wait(meter);
	reading->cpu_ns = now(CLOCK_THREAD_CPUTIME_ID);
	reading->wall_ns = now(CLOCK_MONOTONIC);
}

void
meter_close(struct meter *meter)
{
	if (meter->file >= 0)
		close(meter->file);
}

uint64_t
meter_stolen(void)
{
	FILE *f = fopen("/proc/stat", "re");
	uint64_t ticks = 0;

	if (f == NULL)
		return 0;
	/* user, nice, system, idle, iowait, irq, softirq, steal */
	if (fscanf(f, "cpu %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &ticks) != 1)
		ticks = 0;
	fclose(f);
	return ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

size_t
meter_resident(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[128];
	size_t kib = 0;

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Anonymous: %zu kB", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}
