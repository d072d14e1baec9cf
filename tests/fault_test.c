/* SPDX-License-Identifier: MIT */
/*
 * fault_test.c - wherever memory or a thread cannot be had, nothing is lost.
 *
 * Scenarios, which together make every call of the API, are played again and
 * again: with the first call of malloc, mmap, pthread_create and the like
 * failing, then the second, until one goes through untouched. In four ways:
 *
 *   once      that call fails, and no other
 *   outage    all calls fail from there on, until acre has said ENOMEM once
 *   for good  all calls fail from there on; acre says ENOMEM, and then all
 *             that there is must be closed and destroyed
 *   crooked   that call of the source gives memory that is not aligned
 *
 * Each plays on a thread of its own: when that has ended, there must be no
 * piece of malloc's, and no mapping, that acre has not given back.
 */
#include "lib/descriptor.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault_model.h"
#include "tests/suite.h"

#define PAGE ((size_t)4096)

/* ---- a source that gives what it should not ---- */

static struct {
	bool used;
	size_t shift;  /* of all it gives: a multiple of 16 */
	atomic_size_t left; /* calls until one gives 8 bytes more; 0: none */
} crooked;

/* The shift stands before the piece. */
static void *
crooked_allocate(void *unused, size_t size)
{
	size_t shift = crooked.shift;
	char *p;

	(void)unused;
	if (crooked.left && --crooked.left == 0) {
		shift += 8;
		fault.count++;
	}
	p = malloc(size + shift);
	if (!p)
		return NULL;
	memcpy(p + shift - sizeof(shift), &shift, sizeof(shift));
	return p + shift;
}

static void
crooked_free(void *unused, void *p)
{
	size_t shift;

	(void)unused;
	memcpy(&shift, (char *)p - sizeof(shift), sizeof(shift));
	free((char *)p - shift);
}

static const acre_allocator crooked_source = {
	.allocate = crooked_allocate,
	.free = crooked_free,
};

/* ---- what scenarios are made of ---- */

static acre_pool *
make_pool(acre_pool_options options)
{
	acre_pool *pool;

	if (crooked.used && !options.source)
		options.source = &crooked_source;
	MUST(pool = acre_pool_create(&options));
	has_pool(pool);
	return pool;
}

static acre_pool *
make_small_pool(void)
{
	return make_pool((acre_pool_options){.chunk_size = 16 * PAGE,
		.cache_bytes = 8 * PAGE});
}

static acre_region *
open_in(acre_pool *pool)
{
	acre_region *region;

	MUST(region = acre_region_open(pool));
	return has_region(pool, region, &(acre_region_options){0});
}

static acre_region *
open_with(acre_pool *pool, acre_region_options options)
{
	acre_region *region;

	MUST(region = acre_region_open_with(pool, &options));
	return has_region(pool, region, &options);
}

/* What an allocation that fails has to leave behind. */
struct before {
	size_t used, held;
};

static struct before
before(const acre_region *region)
{
	return (struct before){acre_region_used(region),
		acre_region_held(region)};
}

static void *
unless_failed(acre_region *region, struct before was, void *p)
{
	if (!p) {
		REQUIRE(acre_region_used(region) == was.used);
		REQUIRE(acre_region_held(region) == was.held);
		REQUIRE(acre_region_failed(region));
	}
	return p;
}

#define ALLOCATED(region, call) \
	MUST(unless_failed((region), before(region), (call)))

static void *
object_in(acre_region *region, size_t size)
{
	void *p;

	ALLOCATED(region, p = acre_alloc(region, size));
	return has_object(region, p, size);
}

static void *
resize(void *old, size_t old_size, size_t size)
{
	struct object *o = find_object(old);
	unsigned char *p;

	ALLOCATED(o->region, p = acre_realloc(o->region, old, old_size, size));
	REQUIRE(is_all(p, o->size < size ? o->size : size, o->with));
	memset(p, o->with, size);
	o->p = p;
	o->size = size;
	return p;
}

static void
give_back(void *p)
{
	struct object *o = find_object(p);
	acre_region *region = o->region;

	o->region = NULL;
	acre_free(region, p, o->size);
	check_model();
}

static void
fill(acre_region *region, int pages)
{
	for (int i = 0; i < pages; i++)
		object_in(region, 3000);
}

static void
fill_block(acre_region *region)
{
	while (region->top < region->limit)
		object_in(region, region->limit - region->top);
}

static void
run(void *unused)
{
	(void)unused;
	model.cleanups--;
}

static void
add_cleanup(acre_region *region)
{
	static char arg;

	MUST_DO(acre_cleanup_add(region, run, &arg));
	model.cleanups++;
}

/* Play fn on a thread of its own, to its end. */
static void *
play_thread(void *fn)
{
	/* ISO C has no void * for a function. */
	void (*play)(void) = *(void (**)(void))fn;

	if (setjmp(abandon))
		return fn;
	play();
	return NULL;
}

static void
on_thread(void (*fn)(void))
{
	pthread_t thread;
	void *abandoned;

	REQUIRE(!__real_pthread_create(&thread, NULL, play_thread, &fn));
	pthread_join(thread, &abandoned);
	check_model();
	if (abandoned)
		longjmp(abandon, 1);
}

/* ---- scenarios ---- */

static void
opens_and_closes(void)
{
	acre_pool *pool = make_pool((acre_pool_options){0});

	close_region(open_in(pool));
	acre_thread_flush(pool);
	check_model();
	close_region(open_in(pool));
}

static void
grows(void)
{
	acre_region *region = open_in(make_small_pool());

	fill(region, 60);
	acre_region_reset(region);
	drop_objects(region);
	check_model();
	fill(region, 60);
}

static void
has_large_objects_over(const acre_allocator *source)
{
	acre_pool *pool = make_pool((acre_pool_options){.source = source,
		.chunk_size = 16 * PAGE});
	acre_region *region = open_in(pool);
	void *block = object_in(region, 5 * PAGE);
	void *own = object_in(region, 20 * PAGE);
	block = resize(block, 5 * PAGE, 7 * PAGE);
	own = resize(own, ACRE_SIZE_UNKNOWN, 40 * PAGE);
	own = resize(own, 40 * PAGE, 30 * PAGE);
	own = resize(own, 30 * PAGE, 2 * PAGE);
	block = resize(block, ACRE_SIZE_UNKNOWN, 60 * PAGE);
	give_back(own);
	object_in(region, 6 * PAGE);
	give_back(block);
}

static void
has_large_objects(void)
{
	has_large_objects_over(NULL);
}

/* A record that has no room where the cursor stands takes a block, too. */
static void
has_records(void)
{
	acre_region *region = open_in(make_pool((acre_pool_options){
		.chunk_size = PAGE}));

	for (int i = 0; i < 8; i++) {
		fill_block(region);
		object_in(region, 2 * PAGE);
	}
}

static void
has_mapped_objects(void)
{
	has_large_objects_over(&acre_mmap_allocator);
}

static void
has_huge_objects(void)
{
	has_large_objects_over(&acre_huge_allocator);
}

static void
has_children_and_cleanups(void)
{
	static _Alignas(16) char buffer[2000];
	static acre_cleanup storage;
	acre_pool *pool = make_small_pool();
	acre_region *parent = open_in(pool);
	acre_region *child = open_with(pool, (acre_region_options){
		.parent = parent, .name = "child"});
	acre_region *in_buffer = open_with(make_small_pool(),
		(acre_region_options){.parent = child, .buffer = buffer,
			.buffer_size = sizeof(buffer)});

	for (int i = 0; i < 200; i++)
		add_cleanup(i % 2 ? parent : child);
	fill(in_buffer, 4);
	add_cleanup(in_buffer);
	acre_cleanup_link(child, &storage, run, &storage);
	model.cleanups++;
	REQUIRE(acre_cleanup_cancel(child, run, &storage) == 0);
	model.cleanups--;
	open_with(pool, (acre_region_options){.parent = child,
		.max_bytes = 2 * PAGE});
	REQUIRE(acre_region_detach(child) == EINVAL);
	check_model();
}

static void
rewinds(void)
{
	acre_region *region = open_in(make_small_pool());
	acre_mark mark = acre_region_mark(region);
	struct before was = before(region);

	for (int i = 0; i < 3; i++) {
		fill(region, 20);
		object_in(region, 6 * PAGE);
		object_in(region, 30 * PAGE);
		add_cleanup(region);
		acre_region_rewind(region, mark);
		drop_objects(region);
		check_model();
		REQUIRE(acre_region_used(region) == was.used);
		REQUIRE(acre_region_held(region) == was.held);
	}
}

struct pair {
	long a, b;
};

static void
has_strings(void)
{
	static char text[3000];
	acre_region *region = open_in(make_small_pool());

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 6; i++) {
		char *p;
		void *q;

		ALLOCATED(region, p = acre_strdup(region, text));
		REQUIRE(!strcmp(p, text));
		ALLOCATED(region, p = acre_strndup(region, text, 2500));
		REQUIRE(strlen(p) == 2500);
		ALLOCATED(region, p = acre_asprintf(region, "%s!", text));
		REQUIRE(strlen(p) == sizeof(text));
		ALLOCATED(region, q = acre_memdup(region, text, 2000));
		REQUIRE(!memcmp(q, text, 2000));
		ALLOCATED(region, q = acre_new(region, struct pair));
		has_object(region, q, sizeof(struct pair));
		ALLOCATED(region, q = acre_new_array(region, struct pair, 99));
		has_object(region, q, 99 * sizeof(struct pair));
		ALLOCATED(region, q = acre_alloc_aligned(region, 99, PAGE));
		REQUIRE((uintptr_t)q % PAGE == 0);
		has_object(region, q, 99);
	}
}

/* As a library would that takes an allocator. */
static void
uses_allocator(acre_region *region, acre_allocator a)
{
	unsigned char *p, *q;

	for (size_t size = 1000; size < 300000; size *= 3) {
		MUST(p = a.allocate(a.userdata, size));
		memset(p, 7, size);
		MUST(q = a.reallocate(a.userdata, p, size, 2 * size));
		REQUIRE(is_all(q, size, 7));
		has_object(region, q, 2 * size);
	}
	a.free(a.userdata, q);
	find_object(q)->region = NULL;
	check_model();
}

static void
is_an_allocator(void)
{
	acre_region *region = open_in(make_small_pool());

	uses_allocator(region, acre_region_allocator(region));
	uses_allocator(region, acre_region_sized_allocator(region));
}

/* Until a barrier the helper is at work, and nothing is at rest. */
static void
retire(acre_region *region)
{
	check_model();
	model.limbo = true;
	MUST_DO(acre_region_retire(region));
	/* What it holds is in limbo, or back, with its cleanups run. */
	drop_region(region);
}

static void
wait_for_limbo(void)
{
	for (int i = 0; i < POOLS; i++)
		if (model.pools[i])
			MUST_DO(acre_pool_barrier(model.pools[i]));
	model.limbo = false;
	check_model();
}

static void
retires(void)
{
	acre_pool *pool = make_pool((acre_pool_options){
		.chunk_size = 16 * PAGE, .limbo_bytes = 10 * PAGE});
	acre_pool *other = make_small_pool();

	for (int i = 0; i < 3; i++) {
		acre_region *region = open_in(pool);

		add_cleanup(region);
		fill(region, 4);
		open_with(other, (acre_region_options){.parent = region});
		retire(region);
		retire(open_in(other));
		wait_for_limbo();
	}
	for (int i = 0; i < 8; i++) {
		acre_region *region = open_in(pool);

		fill(region, 4);
		retire(region);
	}
	wait_for_limbo();
}

/* Creation of the helper is tried again, but not with each request. */
static void
gets_its_helper_in_the_end(void)
{
	acre_pool *pool = make_small_pool();
	acre_stats s;

	retire(open_in(pool));
	fault_never();
	for (int i = 0; i < 600; i++)
		retire(open_in(pool));
	do {
		sched_yield();
		acre_pool_stats(pool, &s);
	} while (s.limbo_bytes);
	model.limbo = false;
	check_model();
}

static acre_pool *shared;
static acre_region *handed;

static void
opens_here(void)
{
	handed = open_in(shared);
	fill(handed, 20);
	object_in(handed, 5 * PAGE);
	REQUIRE(acre_region_detach(handed) == 0);
}

static void
closes_here(void)
{
	close_region(handed);
}

static void
adopts_here(void)
{
	REQUIRE(acre_region_adopt(handed) == 0);
	fill(handed, 20);
}

static void
retires_here(void)
{
	retire(handed);
}

/* Threads end with full caches; one that only closes may have none. */
static void
has_threads(void)
{
	shared = make_small_pool();
	for (int i = 0; i < 2; i++) {
		on_thread(opens_here);
		on_thread(adopts_here);
		on_thread(closes_here);
	}
	on_thread(opens_here);
	on_thread(retires_here);
	wait_for_limbo();
	close_region(open_in(shared));
}

/* Batches go through the lists, and want descriptors. */
static void
hands_on(void)
{
	shared = make_pool((acre_pool_options){.chunk_size = 64 * PAGE,
		.cache_bytes = 2 * PAGE});
	for (int i = 0; i < 4; i++) {
		on_thread(opens_here);
		REQUIRE(acre_region_adopt(handed) == 0);
		fill(handed, 40);
		on_thread(closes_here);
		fill(open_in(shared), 10);
		acre_thread_flush(shared);
	}
}

static void
has_many_pools(void)
{
	acre_pool *pools[20];

	for (int i = 0; i < 20; i++) {
		pools[i] = make_small_pool();
		fill(open_in(pools[i]), 3);
	}
	end_all();
	for (int i = 0; i < 4; i++)
		open_in(make_small_pool());
}

static int
close_handed(acre_pool *pool, size_t size, void *unused)
{
	(void)pool;
	(void)size;
	(void)unused;
	if (!handed)
		return 0;
	close_region(handed);
	handed = NULL;
	return 1;
}

static void
reaches_its_limit(void)
{
	acre_pool *pool = make_pool((acre_pool_options){
		.chunk_size = 16 * PAGE, .max_bytes = 32 * PAGE,
		.on_limit = close_handed});
	acre_region *region, *other;

	handed = NULL;
	region = open_in(pool);
	other = open_in(pool);
	fill(other, 18);
	handed = other;
	fill(region, 20);
	REQUIRE(!handed || fault_count());
	handed = NULL;
}

/* What is cached, and what is not, goes back where nothing can be had. */
static void
is_trimmed(void)
{
	acre_region *region;

	shared = make_small_pool();
	on_thread(opens_here);
	region = open_in(shared);
	fill(region, 40);
	close_region(handed);
	REQUIRE(acre_pool_trim(shared, 0, SIZE_MAX) > 0 || fault_count());
	fill(region, 20);
	close_region(region);
	check_model();
	/* Without memory too; most of it, as records may be gone. */
	acre_pool_trim(shared, 16 * PAGE, SIZE_MAX);
	fill(open_in(shared), 20);
}

/* Until the helper has given all of it back, but a chunk that nobody has carved
 * yet. Where it could not be made, that is tried again, and a new chunk asks
 * for it. */
static void
decays(void)
{
	acre_pool *pool = make_pool((acre_pool_options){
		.chunk_size = 16 * PAGE, .cache_bytes = 8 * PAGE,
		.decay_ms = 1});
	acre_region *region;
	acre_stats s;

	model.limbo = true;
	region = open_in(pool);
	fill(region, 40);
	close_region(region);
	fault_never();
	for (int i = 0; i < 600; i++)
		retire(open_in(pool));
	acre_thread_flush(pool);
	region = open_in(pool);
	fill(region, 80);
	close_region(region);
	do {
		sched_yield();
		acre_pool_stats(pool, &s);
	} while (s.chunk_bytes > s.uncarved_bytes + s.slack_bytes);
}

static acre_budget *
make_budget(acre_budget *parent, size_t limit)
{
	acre_budget *budget;

	MUST(budget = acre_budget_create(parent, limit));
	return has_budget(budget, parent);
}

/* What has failed is not charged. */
static void
has_budgets(void)
{
	acre_budget *listener = make_budget(NULL, SIZE_MAX);
	acre_budget *tenant = make_budget(listener, 4000 * PAGE);
	acre_pool *pool = make_small_pool();
	acre_region *parent = open_with(pool, (acre_region_options){
		.budget = tenant});
	acre_region *child = open_with(make_small_pool(),
		(acre_region_options){.parent = parent, .budget = listener});
	acre_mark mark = acre_region_mark(parent);
	void *own, *block;

	fill(parent, 20);
	block = object_in(child, 5 * PAGE);
	own = object_in(child, 20 * PAGE);
	own = resize(own, 20 * PAGE, 50 * PAGE);
	block = resize(block, 5 * PAGE, 7 * PAGE);
	give_back(own);
	object_in(parent, 30 * PAGE);
	acre_region_rewind(parent, mark);
	drop_objects(parent);
	acre_region_reset(child);
	drop_objects(child);
	check_model();
	fill(child, 20);
	retire(open_with(pool, (acre_region_options){.budget = tenant}));
	wait_for_limbo();
	REQUIRE(acre_budget_destroy(tenant) == EBUSY);
}

/* A limit refuses what memory would be there for, as if there were none. */
static void
reaches_its_budget(void)
{
	acre_budget *budget = make_budget(NULL, 12 * PAGE);
	acre_pool *pool = make_small_pool();
	acre_region *other = open_with(pool, (acre_region_options){
		.budget = budget});
	acre_region *region = open_with(pool, (acre_region_options){
		.budget = budget});

	fill(other, 6);
	for (int i = 0; i < 3; i++) {
		REQUIRE(!acre_alloc(region, 20 * PAGE) && errno == ENOMEM);
		REQUIRE(acre_region_failed(region));
		check_model();
		object_in(region, 3 * PAGE);
		acre_region_reset(region);
		drop_objects(region);
	}
	close_region(other);
	fill(region, 10);
}

static void
uses_the_default_pool(void)
{
	acre_pool *pool;
	acre_region *region;

	MUST(pool = acre_pool_default());
	region = open_in(pool);
	fill(region, 4);
	REQUIRE(acre_pool_destroy(pool) == EBUSY);
	close_region(region);
	close_region(open_in(pool));
}

/* ---- playing them ---- */

struct scenario {
	const char *name;
	void (*play)(void);
	size_t least;  /* calls that can fail, or it does not test much */
	bool first;    /* of the process, and so in one of its own each time */
	bool leaves;   /* the default pool behind */
};

static const struct scenario scenarios[] = {
	{"first use", opens_and_closes, 6, true, false},
	{"default pool", uses_the_default_pool, 6, true, true},
	{"grow", grows, 14, false, false},
	{"large", has_large_objects, 10, false, false},
	{"large, records", has_records, 20, false, false},
	{"large, mmap", has_mapped_objects, 10, false, false},
	{"large, huge", has_huge_objects, 14, false, false},
	{"children, cleanups", has_children_and_cleanups, 12, false, false},
	{"rewind", rewinds, 12, false, false},
	{"strings", has_strings, 8, false, false},
	{"allocators", is_an_allocator, 20, false, false},
	{"retire", retires, 12, false, false},
	{"helper", gets_its_helper_in_the_end, 7, false, false},
	{"threads", has_threads, 25, false, false},
	{"hand on", hands_on, 25, false, false},
	{"many pools", has_many_pools, 120, false, false},
	{"trim", is_trimmed, 20, false, false},
	{"limit", reaches_its_limit, 12, false, false},
	{"decay", decays, 10, false, false},
	{"budgets", has_budgets, 20, false, false},
	{"budget, full", reaches_its_budget, 8, false, false},
};

static const struct {
	const char *name;
	enum fault_mode mode;
	bool stays;
	bool crooked;
} modes[] = {
	{"once", FAULT_ONCE, false, false},
	{"outage", FAULT_OUTAGE, false, false},
	{"for good", FAULT_OUTAGE, true, false},
	{"crooked", FAULT_ONCE, false, true},
};

/* The last of them. */
#define CROOKED (COUNT(modes) - 1)

/* ThreadSanitizer makes threads slow to begin, and each play is one. */
#ifdef __SANITIZE_THREAD__
#define MODES 1
#else
#define MODES COUNT(modes)
#endif
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void *
play(void *argument)
{
	const struct scenario *s = argument;

	if (!setjmp(abandon)) {
		s->play();
	}
	/* Faults go on where they stay. */
	end_all();
	return NULL;
}

/* Returns whether a call has failed. */
static bool
play_with(const struct scenario *s, size_t mode, size_t n)
{
	pthread_t thread;
	size_t live = fault.live; /* Check's own */
	bool failed;

	memset(&model, 0, sizeof(model));
	model.scenario = s->name;
	model.mode = modes[mode].name;
	model.stays = modes[mode].stays;
	model.n = n;
	crooked.used = modes[mode].crooked;
	crooked.left = crooked.used ? n : 0;
	if (!crooked.shift)
		crooked.shift = 16;
	fault_at(crooked.used ? 0 : n, modes[mode].mode);
	REQUIRE(!__real_pthread_create(&thread, NULL, play, (void *)s));
	pthread_join(thread, NULL);
	failed = fault_count();
	fault_never();
	REQUIRE(s->leaves || fault.live == live);
	REQUIRE(s->leaves || fault.mapped == 0);
	return failed;
}

/* In a process of its own. */
static bool
play_first(const struct scenario *s, size_t mode, size_t n)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (!child)
		_exit(play_with(s, mode, n) ? 10 : 11);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 10 ||
		WEXITSTATUS(status) == 11), "status %#x", (unsigned)status);
	return WEXITSTATUS(status) == 10;
}

static void
play_all(bool first)
{
	for (size_t i = 0; i < COUNT(scenarios); i++) {
		const struct scenario *s = &scenarios[i];

		for (size_t mode = 0; s->first == first && mode < MODES;
			mode++) {
			size_t n = 1;

			while (first ? play_first(s, mode, n) :
				play_with(s, mode, n))
				n++;
			printf("%s, %s: %zu calls\n", s->name,
				modes[mode].name, n - 1);
			ck_assert_uint_ge(n, modes[mode].crooked ? 1 :
				s->least);
		}
	}
}

START_TEST(wherever_a_first_use_fails_nothing_is_lost)
{
	play_all(true);
}
END_TEST

START_TEST(wherever_a_call_fails_nothing_is_lost)
{
	play_all(false);
}
END_TEST

START_TEST(a_source_that_aligns_to_16_alone_serves)
{
	for (size_t shift = 16; shift < 2 * PAGE; shift += 560)
		for (size_t i = 0; i < COUNT(scenarios); i++) {
			crooked.shift = shift;
			if (!scenarios[i].first)
				ck_assert(!play_with(&scenarios[i],
					CROOKED, 0));
		}
}
END_TEST

/* Or there would be fewer of them for ever after. */
START_TEST(a_slab_that_cannot_be_had_does_not_count)
{
	struct depot depot = {0};
	struct stash stash = {0};

	depot_init(&depot);
	fault_at(1, FAULT_OUTAGE);
	for (int i = 0; i < 3; i++)
		REQUIRE(!descriptor_get(&depot, &stash));
	fault_never();
	ck_assert_uint_eq(fault_count(), 3);
	ck_assert_uint_eq(depot.made, 0);
	ck_assert_ptr_nonnull(descriptor_get(&depot, &stash));
	depot_destroy(&depot);
}
END_TEST

/* ---- a full address space ---- */

#define ROOM ((rlim_t)96 << 20)
enum { FILLERS = 3, ROUNDS = 4 };

static pthread_barrier_t all_ready;
static atomic_size_t filled;

/* Until there is no more; all of it is as it was written. */
static void
fill_up(acre_pool *pool)
{
	acre_region *region = acre_region_open(pool);
	unsigned char *last = NULL;
	size_t size = 0;

	if (!region)
		return;
	for (size_t i = 0;; i++) {
		unsigned char *p = acre_alloc(region, i % 50 ? 3000 : 300000);

		if (!p)
			break;
		size = i % 50 ? 3000 : 300000;
		memset(p, (int)i, size);
		filled += size;
		REQUIRE(!last || is_all(last, 3000, (unsigned char)(i - 1)));
		last = p;
	}
	REQUIRE(errno == ENOMEM && acre_region_failed(region));
	acre_region_close(region);
}

static void *
fill_often(void *pool)
{
	/* Known to liburcu while there is memory: without, it aborts. */
	acre_region_close(acre_region_open(pool));
	pthread_barrier_wait(&all_ready);
	pthread_barrier_wait(&all_ready);
	for (int i = 0; i < ROUNDS; i++)
		fill_up(pool);
	return NULL;
}

static rlim_t
mapped_now(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	REQUIRE(f && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	return (rlim_t)pages * PAGE;
}

static void
fill_the_address_space(const acre_allocator *source)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	acre_pool *pool = acre_pool_create(
		&(acre_pool_options){.source = source});
	pthread_t threads[FILLERS];
	acre_region *region;

	memset(&model, 0, sizeof(model));
	filled = 0;
	pthread_barrier_init(&all_ready, NULL, FILLERS + 1);
	for (int i = 0; i < FILLERS; i++)
		pthread_create(&threads[i], NULL, fill_often, pool);
	pthread_barrier_wait(&all_ready);
	limit.rlim_cur = mapped_now() + ROOM;
	REQUIRE(!setrlimit(RLIMIT_AS, &limit));
	pthread_barrier_wait(&all_ready);
	for (int i = 0; i < FILLERS; i++)
		pthread_join(threads[i], NULL);
	region = acre_region_open(pool);
	REQUIRE(region && acre_alloc(region, 3000));
	acre_region_close(region);
	check_pool(pool);
	REQUIRE(acre_pool_destroy(pool) == 0);
	REQUIRE(filled > ROOM / 2);
}

/* In a process of its own, as limits stay. Sanitizers need all there is. */
START_TEST(a_full_address_space_is_ENOMEM)
{
	static const acre_allocator *const sources[] = {
		&acre_malloc_allocator, &acre_mmap_allocator,
	};

	for (size_t i = 0; i < COUNT(sources) && !SANITIZED; i++) {
		int status;
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (!child) {
			fill_the_address_space(sources[i]);
			_exit(0);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

SUITE("fault", wherever_a_first_use_fails_nothing_is_lost,
	wherever_a_call_fails_nothing_is_lost,
	a_source_that_aligns_to_16_alone_serves,
	a_slab_that_cannot_be_had_does_not_count,
	a_full_address_space_is_ENOMEM)
