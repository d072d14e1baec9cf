/* SPDX-License-Identifier: MIT */
/*
 * process.h - what /proc says of this process: memory, and threads.
 */
#ifndef ACRE_TESTS_PROCESS_H
#define ACRE_TESTS_PROCESS_H

#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

#include "tests/suite.h"

/* A value of a file of /proc in KiB, as bytes. */
static inline size_t
proc_bytes(const char *path, const char *format)
{
	FILE *file = fopen(path, "r");
	size_t kib = 0;
	char line[256];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) &&
		sscanf(line, format, &kib) != 1)
		;
	fclose(file);
	return kib * 1024;
}

static inline size_t
resident_bytes(void)
{
	return proc_bytes("/proc/self/smaps_rollup", "Rss: %zu");
}

/* How many threads of this name the process has. */
static inline int
count_threads(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	int count = 0;

	ck_assert_ptr_nonnull(tasks);
	while ((task = readdir(tasks))) {
		char path[300], comm[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			task->d_name);
		file = fopen(path, "r");
		if (file && fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = '\0';
		if (file)
			fclose(file);
		count += !strcmp(comm, name);
	}
	closedir(tasks);
	return count;
}

/* Whether a thread of this process sleeps: on a lock, where there is nothing
 * else to sleep on. */
static inline bool
is_asleep(pid_t tid)
{
	char path[64], line[256] = "";
	const char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	file = fopen(path, "r");
	if (!file)
		return false;
	state = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return state && state[2] == 'S';
}

#endif
