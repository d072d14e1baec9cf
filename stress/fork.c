/* SPDX-License-Identifier: MIT */
/*
 * fork.c - processes fork while their threads work at full speed.
 *
 * Workers open, fill, close and retire regions in three pools, hand them over,
 * reach a limit, make and end pools, and start threads. Any of them forks now
 * and then, at times inside a read-side section. The child does what children
 * can, and its exit code says how that went; one that hangs is killed and
 * counts as a failure. No more than a few live at a time.
 *
 * A child knows its own thread's regions exactly: they must be as they were
 * filled, and each that was retired must have been cleaned up once, before
 * the fork or in the child. Of the others' it knows nothing, but that nothing
 * may hang. In the parent all must be as if there had been no fork.
 *
 * Children start no threads: liburcu 0.13 may have lost the lock that it takes
 * for a new one, when another came or went at the fork. Under ThreadSanitizer
 * they have no helper either: that of gcc 12 and clang 14 ends a child that
 * starts a thread. It does not look for races in children.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu/urcu-bp.h>

#include "lib/atomic.h"
#include "stress/children.h"
#include "stress/common.h"
#include "stress/filled.h"

#define POOLS 3
#define LIMITED 1          /* this pool has max_bytes */
#define SLOTS 8            /* for regions that are handed over */
#define KEPT 4             /* regions that a worker keeps open */
#define OBJECTS 32         /* of a region, at most */
#define FORK_EVERY 50      /* rounds of a worker, on average */
#define VISIT_EVERY 20     /* rounds: a thread that comes and goes */
#define CHILD_SECONDS 15   /* before one counts as hung */
#define CHILD_ROUNDS 40
#define GENERATIONS 3

/* A region, and which pool's. */
struct owned {
	struct filled filled;
	unsigned pool;
};

/* A worker, and its copy in a child. */
struct worker {
	unsigned number;
	struct chance chance;
	uint64_t made; /* regions */
	struct owned *kept[KEPT];
	struct tally tallies[POOLS];

	/* Regions retired, and cleaned up; by the helper, or in a child by
	 * whoever waits. */
	uint64_t retired;
	_Atomic(uint64_t) cleaned;
};

/* A sanitizer's malloc may be locked for ever in the child of a process whose
 * threads use it: there, children only end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ERRANDS_HERE WORK
#else
#define ERRANDS_HERE ERRANDS
#endif

static acre_pool_options options[POOLS];
static acre_pool *pools[POOLS];
static _Atomic(struct owned *) slots[SLOTS];

/* ---- regions ---- */

static void
count_cleanup(void *worker)
{
	add_relaxed(&((struct worker *)worker)->cleaned, 1);
}

static struct owned *
fill_one(struct worker *w, unsigned pool)
{
	struct owned *owned = stress_malloc(sizeof(*owned));
	size_t most = options[pool].page_size - 256;
	uint64_t id = filled_id(w->number, w->made++);

	owned->pool = pool;
	if (!filled_open(&owned->filled, pools[pool], id, &w->tallies[pool])) {
		if (pool != LIMITED)
			stress_fail("no memory to open a region");
		free(owned);
		return NULL;
	}
	for (size_t n = chance_below(&w->chance, OBJECTS + 1); n; n--)
		filled_add(&owned->filled, 16 + chance_size(&w->chance, most),
			&w->tallies[pool]);
	return owned;
}

static void
close_one(struct worker *w, struct owned *owned)
{
	if (owned)
		filled_close(&owned->filled, &w->tallies[owned->pool]);
	free(owned);
}

/* A region without memory for a cleanup, or that may not be retired, is
 * closed. */
static void
retire_one(struct worker *w, struct owned *owned)
{
	acre_region *region = owned->filled.region;
	struct tally *tally = &w->tallies[owned->pool];
	int error = acre_cleanup_add(region, count_cleanup, w);

	if (error) {
		close_one(w, owned);
		return;
	}
	if (acre_region_held(region) != owned->filled.held)
		tally->pages_taken++;
	filled_verify(&owned->filled);
	error = acre_region_retire(region);
	if (error)
		stress_fail("retire: %s", strerror(error));
	w->retired++;
	tally->bytes_held -= owned->filled.held;
	free(owned);
}

/* Others may close what is in a slot, and so may a child. */
static void
hand_over(struct worker *w, struct owned *owned)
{
	size_t slot = chance_below(&w->chance, SLOTS);

	if (owned && acre_region_detach(owned->filled.region))
		stress_fail("a region could not be detached");
	close_one(w, atomic_exchange(&slots[slot], owned));
}

static void
change_kept(struct worker *w)
{
	size_t i = chance_below(&w->chance, KEPT);

	close_one(w, w->kept[i]);
	w->kept[i] = fill_one(w, (unsigned)chance_below(&w->chance, POOLS));
}

static void
close_kept(struct worker *w)
{
	for (unsigned i = 0; i < KEPT; i++) {
		close_one(w, w->kept[i]);
		w->kept[i] = NULL;
	}
}

static void
make_and_end_pool(struct worker *w)
{
	acre_pool *pool = acre_pool_create(NULL);
	acre_region *region = acre_region_open(pool);

	if (!region || acre_cleanup_add(region, count_cleanup, w) ||
		acre_region_retire(region))
		stress_fail("no use of a new pool");
	w->retired++;
	region = acre_region_open(pool);
	acre_region_close(region);
	if (acre_pool_destroy(pool))
		stress_fail("a new pool could not be destroyed");
}

static void
do_one(struct worker *w)
{
	unsigned pool = (unsigned)chance_below(&w->chance, POOLS);
	struct owned *owned;
	acre_stats stats;

	switch (chance_below(&w->chance, 12)) {
	case 0:
		make_and_end_pool(w);
		break;
	case 1:
		acre_thread_flush(pools[pool]);
		acre_pool_stats(pools[pool], &stats);
		break;
	case 2:
		if (acre_pool_barrier(pools[pool]))
			stress_fail("no barrier");
		break;
	case 3:
	case 4:
		hand_over(w, fill_one(w, pool));
		break;
	case 5:
	case 6:
		change_kept(w);
		break;
	case 7:
	case 8:
	case 9:
		owned = fill_one(w, pool);
		if (owned)
			retire_one(w, owned);
		break;
	default:
		close_one(w, fill_one(w, pool));
	}
}

/* ---- in a child ---- */

static void
must(bool condition, const char *what)
{
	if (condition)
		return;
	stress_fail("in a child: %s", what);
	_exit(1);
}

static void
check_equations(void)
{
	for (unsigned i = 0; i < POOLS; i++) {
		acre_stats s;

		acre_pool_stats(pools[i], &s);
		must(s.chunk_bytes == s.region_bytes + s.cache_bytes +
				s.free_bytes + s.limbo_bytes +
				s.uncarved_bytes + s.slack_bytes,
			"bytes do not add up");
		must(s.regions_open == s.regions_opened - s.regions_closed -
				s.regions_retired,
			"regions do not add up");
	}
}

static void
verify_kept(const struct worker *w)
{
	for (unsigned i = 0; i < KEPT; i++)
		if (w->kept[i])
			filled_verify(&w->kept[i]->filled);
}

/* With what the parent had retired, too. */
static void
wait_for_cleanups(const struct worker *w)
{
	for (unsigned i = 0; i < POOLS; i++)
		must(acre_pool_barrier(pools[i]) == 0, "no barrier");
	must(load_relaxed(&w->cleaned) == w->retired,
		"not each cleanup has run once");
}

static void
do_childs_work(struct worker *w)
{
	verify_kept(w);
	check_equations();
	for (unsigned i = 0; i < CHILD_ROUNDS; i++)
		do_one(w);
	wait_for_cleanups(w);
	check_equations();
}

/* Others had regions open at the fork, or not. */
static void
destroy_pools(struct worker *w)
{
	close_kept(w);
	for (unsigned i = 0; i < POOLS; i++) {
		int error = acre_pool_destroy(pools[i]);

		must(error == 0 || error == EBUSY, "no destroy");
	}
	must(load_relaxed(&w->cleaned) == w->retired,
		"destroy has not waited for cleanups");
}

static void
be_refused(struct worker *w)
{
	struct owned *owned = fill_one(w, 0);

	must(owned, "no region");
	must(acre_region_retire(owned->filled.region) == ENOTSUP,
		"a retire inside the section");
	must(acre_pool_barrier(pools[0]) == EDEADLK,
		"a barrier inside the section");
	urcu_bp_read_unlock();
	must(acre_region_retire(owned->filled.region) == ENOTSUP,
		"a retire after the section");
	must(acre_pool_barrier(pools[0]) == ENOTSUP,
		"a barrier after the section");
	filled_add(&owned->filled, 1000, &w->tallies[0]);
	close_one(w, owned);
	for (unsigned i = 0; i < CHILD_ROUNDS; i++)
		change_kept(w);
	verify_kept(w);
	check_equations();
}

static void run_child(struct worker *w, enum errand errand,
	unsigned generation);

static void
fork_again(struct worker *w, unsigned generation)
{
	enum errand errand = generation < GENERATIONS ? FORK : DESTROY;
	int status;
	pid_t child = fork();

	if (child == 0)
		run_child(w, errand, generation + 1);
	must(child > 0 && waitpid(child, &status, 0) == child && !status,
		"a child's child failed");
}

/* Does not return. */
static void
run_child(struct worker *w, enum errand errand, unsigned generation)
{
	alarm(CHILD_SECONDS);
	/* From now on, stress_goes_on() but after a failure. */
	stress.seconds += 1000000;
	switch (errand) {
	case END:
		break;
	case EXECUTE:
		execl("/bin/true", "true", (char *)NULL);
		must(false, "/bin/true is not there");
		break;
	case FORK:
		do_childs_work(w);
		fork_again(w, generation);
		do_childs_work(w);
		break;
	case INSIDE:
		be_refused(w);
		destroy_pools(w);
		break;
	case DESTROY:
		do_childs_work(w);
		destroy_pools(w);
		make_and_end_pool(w);
		break;
	default:
		do_childs_work(w);
	}
	/* Not _exit: there ThreadSanitizer takes threads of the parent that
	 * have ended for leaks of the child. */
	syscall(SYS_exit_group, stress_goes_on() ? 0 : 1);
	_exit(1);
}

/* ---- workers ---- */

static pid_t
fork_timed(bool inside, double *took)
{
	double begun;
	pid_t child;

	if (inside)
		urcu_bp_read_lock();
	begun = stress_elapsed();
	child = fork();
	if (child && inside) {
		acre_reader_leaves(NULL);
		urcu_bp_read_unlock();
	}
	*took = stress_elapsed() - begun;
	return child;
}

/* Fork, when there is room for a child. */
static void
fork_one(struct worker *w)
{
	enum errand errand =
		(enum errand)chance_below(&w->chance, ERRANDS_HERE);
	struct child *child = children_reserve(errand);
	double took;
	pid_t pid;

	if (!child)
		return;
	pid = fork_timed(errand == INSIDE, &took);
	if (pid == 0)
		run_child(w, errand, 1);
	if (pid < 0)
		stress_fail("no fork: %s", strerror(errno));
	children_add(child, pid, took);
}

/* One that comes and goes; its counts are its host's. */
static void *
visit(void *visitor)
{
	struct worker *v = visitor;

	for (unsigned i = 0; i < POOLS; i++)
		close_one(v, fill_one(v, i));
	return NULL;
}

static void
have_visitor(struct worker *w)
{
	struct worker *v = stress_malloc(sizeof(*v));
	pthread_t thread;

	*v = (struct worker){
		.number = stress.threads + w->number,
		.made = w->made,
		.chance = {chance_next(&w->chance)},
	};
	w->made += POOLS;
	stress_thread(&thread, visit, v);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < POOLS; i++)
		tally_add(&w->tallies[i], &v->tallies[i]);
	free(v);
}

static void *
work(void *worker)
{
	struct worker *w = worker;

	while (stress_goes_on()) {
		do_one(w);
		if (chance_once_in(&w->chance, VISIT_EVERY))
			have_visitor(w);
		if (chance_once_in(&w->chance, FORK_EVERY))
			fork_one(w);
	}
	close_kept(w);
	return NULL;
}

/* ---- the whole ---- */

static void
make_pools(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	options[0] = (acre_pool_options){
		.page_size = page,
		.limbo_bytes = 1024 * page,
	};
	options[LIMITED] = (acre_pool_options){
		.page_size = page,
		.chunk_size = 16 * page,
		.max_bytes = 64 * page,
		.cache_bytes = 8 * page,
	};
	options[2] = (acre_pool_options){
		.page_size = page,
		.chunk_size = 32 * page,
		.cache_bytes = 2 * page,
	};
	for (unsigned i = 0; i < POOLS; i++) {
		pools[i] = acre_pool_create(&options[i]);
		if (!pools[i])
			stress_fail("no pool");
	}
}

/* With all workers joined: nothing of what children did may be seen. */
static void
check_parent(struct worker *workers)
{
	for (unsigned i = 0; i < SLOTS; i++)
		close_one(&workers[0], atomic_exchange(&slots[i], NULL));
	for (unsigned i = 0; i < POOLS; i++) {
		struct tally sum = {0};

		if (acre_pool_barrier(pools[i]))
			stress_fail("no barrier at the end");
		for (unsigned j = 0; j < stress.threads; j++)
			tally_add(&sum, &workers[j].tallies[i]);
		stress_check_at_rest(pools[i], &options[i], &sum);
	}
	for (unsigned j = 0; j < stress.threads; j++)
		if (load_relaxed(&workers[j].cleaned) != workers[j].retired)
			stress_fail("not each cleanup has run once");
}

static void
end_pools(void)
{
	for (unsigned i = 0; i < POOLS; i++) {
		stress_check_pages(pools[i], &options[i]);
		stress_destroy(pools[i]);
	}
}

static uint64_t
run_workers(void)
{
	struct worker *workers =
		stress_malloc(stress.threads * sizeof(*workers));
	pthread_t *threads = stress_malloc(stress.threads * sizeof(*threads));
	uint64_t regions = 0;

	for (unsigned i = 0; i < stress.threads; i++) {
		workers[i] = (struct worker){
			.number = i,
			.chance = chance_of(i),
		};
		stress_thread(&threads[i], work, &workers[i]);
	}
	children_await();
	for (unsigned i = 0; i < stress.threads; i++) {
		pthread_join(threads[i], NULL);
		regions += workers[i].made;
	}
	children_await(); /* those that came last */
	check_parent(workers);
	free(threads);
	free(workers);
	return regions;
}

int
main(int argc, char **argv)
{
	struct children_sum forked;
	uint64_t regions;

	stress_begin(argc, argv,
		"Threads fork while all work, and their children work too.", 4,
		false);
	children_begin();
	make_pools();
	regions = run_workers();
	end_pools();
	forked = children_sum();
	return stress_end("%" PRIu64 " regions, %u forks (%u inside a "
			  "section), slowest %.0f ms, slowest child %.0f ms",
		regions, forked.forks, forked.inside,
		forked.slowest_fork * 1e3, forked.slowest_child * 1e3);
}
