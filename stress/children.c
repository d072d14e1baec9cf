/* SPDX-License-Identifier: MIT */
/*
 * children.c - the children of stress/fork.c, as their parent sees them.
 */
#include "stress/children.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>

#include "stress/common.h"

#define CHILDREN 4      /* at a time */
#define KILL_SECONDS 20 /* where one could not be alarmed */
#define RESERVED (-1)

struct child {
	pid_t pid; /* 0: none; RESERVED: about to be forked */
	enum errand errand;
	double begun;
};

static const char *const errand_names[ERRANDS] = {
	"end", "execute", "work", "destroy", "fork", "inside a section",
};

static struct child children[CHILDREN]; /* with children_lock */

static pthread_mutex_t children_lock = PTHREAD_MUTEX_INITIALIZER;
static struct children_sum sum; /* with children_lock */

static void
child_ended(struct child *child, int status)
{
	double took = stress_elapsed() - child->begun;

	if (took > sum.slowest_child)
		sum.slowest_child = took;
	if (WIFSIGNALED(status))
		stress_fail("child %d (%s) was ended by signal %d%s",
			(int)child->pid, errand_names[child->errand],
			WTERMSIG(status),
			WTERMSIG(status) == SIGKILL ? ": it hung" : "");
	else if (WEXITSTATUS(status))
		stress_fail("child %d (%s) ended with %d", (int)child->pid,
			errand_names[child->errand], WEXITSTATUS(status));
	child->pid = 0;
}

/* With children_lock. Look after each child; one that hangs is killed, and
 * found ended the next time. Returns how many there are. */
static unsigned
look_after_children(void)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < CHILDREN; i++) {
		struct child *child = &children[i];
		int status;

		if (!child->pid)
			continue;
		alive++;
		if (child->pid == RESERVED)
			continue;
		if (waitpid(child->pid, &status, WNOHANG) == child->pid) {
			child_ended(child, status);
			alive--;
		} else if (stress_elapsed() - child->begun > KILL_SECONDS) {
			kill(child->pid, SIGKILL);
		}
	}
	return alive;
}

/* With children_lock. */
static struct child *
room_for_child(void)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		if (!children[i].pid)
			return &children[i];
	return NULL;
}

static sigset_t
child_ends(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return set;
}

void
children_begin(void)
{
	sigset_t blocked = child_ends();

	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

void
children_await(void)
{
	const struct timespec second = {1, 0};
	sigset_t awaited = child_ends();
	unsigned alive;

	do {
		sigtimedwait(&awaited, NULL, &second);
		pthread_mutex_lock(&children_lock);
		alive = look_after_children();
		pthread_mutex_unlock(&children_lock);
	} while (stress_goes_on() || alive);
}

struct child *
children_reserve(enum errand errand)
{
	struct child *child;

	pthread_mutex_lock(&children_lock);
	child = room_for_child();
	if (child)
		*child = (struct child){
			.pid = RESERVED,
			.errand = errand,
			.begun = stress_elapsed(),
		};
	pthread_mutex_unlock(&children_lock);
	return child;
}

void
children_add(struct child *child, pid_t pid, double took)
{
	pthread_mutex_lock(&children_lock);
	sum.forks++;
	sum.inside += child->errand == INSIDE;
	child->pid = pid < 0 ? 0 : pid;
	if (took > sum.slowest_fork)
		sum.slowest_fork = took;
	pthread_mutex_unlock(&children_lock);
}

struct children_sum
children_sum(void)
{
	return sum;
}
