/* SPDX-License-Identifier: MIT */
/*
 * meter.h - what a thread used, and what the process holds.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stddef.h>
#include <stdint.h>

struct meter {
	int file; /* /proc/thread-self/schedstat, or -1 */
};

struct meter_reading {
	uint64_t wall_ns;
	/* Of the thread. */
	uint64_t cpu_ns;
	uint64_t wait_ns; /* ready to run, but on no core */
	/* Of the process, all its threads. */
	uint64_t process_cpu_ns;
};

/*
 * meter_open, meter_read, meter_close: by the thread that is measured.
 */
void meter_open(struct meter *meter);
void meter_read(const struct meter *meter, struct meter_reading *reading);
void meter_close(struct meter *meter);

/* Time that the host took from all cores, in ns, in steps of a clock tick. */
uint64_t meter_stolen(void);

/* Bytes of memory of its own that the process has touched. */
size_t meter_resident(void);

#endif
