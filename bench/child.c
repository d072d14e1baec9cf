/* SPDX-License-Identifier: MIT */
/*
 * child.c - a peer's program at the other end of two pipes.
 */
#include "bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static void
become(const char *program, const char *workload, unsigned threads,
	const int input[2], const int output[2])
{
	char text[16];

	snprintf(text, sizeof text, "%u", threads);
	if (dup2(input[0], STDIN_FILENO) >= 0 &&
		dup2(output[1], STDOUT_FILENO) >= 0)
		execl(program, program, workload, text, (char *)NULL);
	fprintf(stderr, "bench: %s: %s\n", program, strerror(errno));
	_exit(127);
}

/* The pipes close on exec: what a child has of them is its 0 and 1. */
static bool
launch(struct child *child, const char *workload, unsigned threads)
{
	int input[2], output[2];

	if (pipe2(input, O_CLOEXEC) != 0)
		return false;
	if (pipe2(output, O_CLOEXEC) != 0)
		goto close_input;
	child->pid = fork();
	if (child->pid < 0)
		goto close_output;
	if (child->pid == 0)
		become(child->program, workload, threads, input, output);
	close(input[0]);
	close(output[1]);
	child->to = fdopen(input[1], "w");
	child->from = fdopen(output[0], "r");
	return child->to != NULL && child->from != NULL;

close_output:
	close(output[0]);
	close(output[1]);
close_input:
	close(input[0]);
	close(input[1]);
	return false;
}

static bool
hear(struct child *child, char *line, size_t size)
{
	struct pollfd from = {.fd = fileno(child->from), .events = POLLIN};
	int status = 0;

	if (poll(&from, 1, PATIENCE_MS) == 0) {
		kill(child->pid, SIGKILL);
		fprintf(stderr, "bench: %s: no answer\n", child->program);
		return false;
	}
	if (fgets(line, (int)size, child->from) != NULL)
		return true;
	if (waitpid(child->pid, &status, 0) == child->pid)
		child->pid = 0;
	if (WIFSIGNALED(status))
		fprintf(stderr, "bench: %s: %s\n", child->program,
			strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "bench: %s: ended with status %d\n",
			child->program, WEXITSTATUS(status));
	return false;
}

bool
child_start(struct child *child, const char *program, const char *workload,
	unsigned threads)
{
	char line[64];

	*child = (struct child){.program = program};
	if (!launch(child, workload, threads)) {
		fprintf(stderr, "bench: %s: %s\n", program, strerror(errno));
		return false;
	}
	if (!hear(child, line, sizeof line))
		return false;
	if (sscanf(line, "ready %31s", child->name) == 1) {
		child->able = true;
		return true;
	}
	return sscanf(line, "n/a %31s", child->name) == 1;
}

bool
child_run(struct child *child, uint64_t requests, struct child_answer *answer)
{
	char line[256];

	fprintf(child->to, "%" PRIu64 "\n", requests);
	fflush(child->to);
	if (!hear(child, line, sizeof line))
		return false;
	return sscanf(line, "%lf %lf %" SCNu64 " %zu %" SCNu64,
		       &answer->request_ns, &answer->lost_share,
		       &answer->stolen_ns, &answer->resident,
		       &answer->live_bytes) == 5;
}

void
child_stop(struct child *child)
{
	if (child->to != NULL)
		fclose(child->to);
	if (child->from != NULL)
		fclose(child->from);
	if (child->pid > 0)
		waitpid(child->pid, NULL, 0);
	*child = (struct child){0};
}
