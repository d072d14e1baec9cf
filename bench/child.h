/* SPDX-License-Identifier: MIT */
/*
 * child.h - a peer's program at the other end of two pipes. See driver.c.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct child {
	const char *program;
	char name[32]; /* the peer's, as it says itself */
	bool able;     /* to do this workload */
	pid_t pid;
	FILE *to, *from;
};

struct child_answer {
	double request_ns;
	double lost_share;  /* of the window, to others */
	uint64_t stolen_ns; /* by the host */
	size_t resident;    /* bytes */
	uint64_t live_bytes;
};

/*
 * child_start: start program for a workload and hear whether it is able.
 *
 * Returns false after a line on stderr: it could not be started, or died.
 */
bool child_start(struct child *child, const char *program, const char *workload,
	unsigned threads);

/*
 * child_run: have it run requests in each thread.
 *
 * Returns false after a line on stderr: it died, or said nothing for long.
 */
bool child_run(
	struct child *child, uint64_t requests, struct child_answer *answer);

void child_stop(struct child *child);

#endif
