/* SPDX-License-Identifier: MIT */
/* region_test.c - a region's life: options, parents, reset, hand-over, and
 * what it says of itself. */
#include "lib/region.h"

#include <stdatomic.h>

#include "tests/fixture.h"
#include "tests/source.h"

/* ---- open ---- */

START_TEST(close_of_null_is_fine)
{
	acre_region_close(NULL);
}
END_TEST

START_TEST(open_without_a_pool_is_refused)
{
	errno = 0;
	ck_assert_ptr_null(acre_region_open(NULL));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(NULL,
		&(acre_region_options){0}));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(NULL,
		&(acre_region_options){.max_bytes = PAGE}));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(no_options_and_empty_ones_are_the_same)
{
	acre_region *r;

	setup();
	r = acre_region_open_with(pool, NULL);
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(acre_region_held(r), PAGE);
	acre_region_close(r);
	r = open_with((acre_region_options){0});
	ck_assert_uint_eq(acre_region_held(r), PAGE);
	ck_assert_uint_eq(acre_region_used(r), 0);
	acre_region_close(r);
	teardown();
}
END_TEST

START_TEST(a_region_keeps_its_name_for_reports)
{
	static const char name[] = "request";

	setup();
	acre_region_close(region);
	region = open_with((acre_region_options){.name = name});
	ck_assert_ptr_eq(region_of(region)->more.name, name);
	acre_region_reset(region);
	ck_assert_ptr_eq(region_of(region)->more.name, name);
	teardown();
}
END_TEST

START_TEST(wrong_options_are_refused)
{
	static char buffer[1000];
	acre_region *detached;

	setup();
	detached = acre_region_open(pool);
	acre_region_detach(detached);
	const acre_region_options wrong[] = {
		{.buffer = buffer},
		{.buffer_size = sizeof(buffer)},
		{.max_bytes = 1},
		{.max_bytes = PAGE - 1},
		{.max_bytes = PAGE - 1, .buffer = buffer,
			.buffer_size = sizeof(buffer)},
		{.parent = detached},
	};

	for (size_t i = 0; i < COUNT(wrong); i++) {
		errno = 0;
		ck_assert_msg(!acre_region_open_with(pool, &wrong[i]),
			"row %zu was accepted", i);
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_uint_eq(stats_of(pool).regions_open, 2);
	}
	acre_region_close(detached);
	teardown();
}
END_TEST

START_TEST(a_closed_regions_page_is_reused_first)
{
	acre_region *first;

	setup();
	first = region;
	acre_region_close(region);
	region = acre_region_open(pool);
	ck_assert_ptr_eq(region, first);
	teardown();
}
END_TEST

/* Close cannot fail, so it says nothing in errno. */
START_TEST(close_leaves_errno_alone)
{
	setup();
	filled(region, 9000, 1);
	filled(region, 3 * MIB, 1);
	/* Which says EBADF. */
	acre_cleanup_add(region, acre_cleanup_close, (void *)(intptr_t)-1);
	errno = EXDEV;
	acre_region_close(region);
	ck_assert_int_eq(errno, EXDEV);
	region = NULL;
	teardown();
}
END_TEST

START_TEST(out_of_memory_leaves_earlier_objects_and_the_region_usable)
{
	struct test_source source = {.fail_at = 2};
	unsigned char *objects[300];
	int count = 0;

	setup_with((acre_pool_options){
		.source = test_source_init(&source), .chunk_size = 8 * PAGE});
	errno = 0;
	while ((objects[count] = acre_alloc(region, 1000)))
		memset(objects[count], count, 1000), count++;
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_ge(count, 6 * 4);
	for (int i = 0; i < count; i++)
		assert_filled(objects[i], 1000, i);
	errno = 0;
	ck_assert_ptr_null(acre_region_open(pool));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(stats_of(pool).regions_open, 1);
	/* A child that cannot be opened is none. */
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(pool,
		&(acre_region_options){.parent = region}));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(pool,
		&(acre_region_options){.max_bytes = PAGE}));
	ck_assert_int_eq(errno, ENOMEM);
	/* The source has memory again. */
	source.fail_at = 0;
	ck_assert_ptr_nonnull(acre_alloc(region, 1000));
	teardown();
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

/* ---- the caller's buffer ---- */

/* Used before any page, from wherever it begins to wherever it ends. */
START_TEST(a_buffer_is_used_first)
{
	static _Alignas(64) char buffer[2000];

	setup();
	for (size_t from = 0; from < 40; from += 3) {
		for (size_t size = 576; size < 1900; size += 111) {
			acre_region *r = open_with((acre_region_options){
				.buffer = buffer + from, .buffer_size = size});
			char *p;

			memset(buffer, 0x77, from);
			memset(buffer + from + size, 0x77,
				sizeof(buffer) - from - size);
			ck_assert_uint_eq(acre_region_held(r), 0);
			while (r->top < r->limit) {
				p = (char *)filled(r, 16, 0xee);
				ck_assert(p >= buffer + from &&
					p + 16 <= buffer + from + size);
			}
			ck_assert_uint_eq(acre_region_held(r), 0);
			ck_assert_uint_le(size - acre_region_used(r),
				REGION_HEADER + 30);
			filled(r, 16, 1);
			ck_assert_uint_eq(acre_region_held(r), PAGE);
			acre_region_reset(r);
			ck_assert_uint_eq(acre_region_held(r), 0);
			ck_assert_uint_eq(acre_region_used(r), 0);
			p = acre_strdup(r, "text");
			ck_assert(p > buffer && p < buffer + from + size);
			acre_region_close(r);
			/* Its owner's bytes around it are as they were. */
			assert_filled((unsigned char *)buffer, from, 0x77);
			assert_filled((unsigned char *)buffer + from + size,
				sizeof(buffer) - from - size, 0x77);
		}
	}
	ck_assert_uint_eq(stats_of(pool).regions_open, 1);
	teardown();
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_left_alone)
{
	static _Alignas(16) unsigned char buffer[511];
	acre_region *r;

	setup();
	memset(buffer, 0x66, sizeof(buffer));
	r = open_with((acre_region_options){
		.buffer = buffer, .buffer_size = sizeof(buffer)});
	ck_assert_uint_eq(acre_region_held(r), PAGE);
	filled(r, 1000, 1);
	acre_region_close(r);
	assert_filled(buffer, sizeof(buffer), 0x66);
	teardown();
}
END_TEST

/* ---- a region's limit ---- */

START_TEST(each_region_has_its_limit)
{
	acre_region *small, *large;

	setup();
	small = open_with((acre_region_options){.max_bytes = 3 * PAGE});
	large = open_with((acre_region_options){.max_bytes = 30 * PAGE});
	while (acre_alloc(small, 1000))
		;
	ck_assert_int_eq(errno, ENOMEM);
	while (acre_alloc(large, 1000))
		;
	ck_assert_uint_eq(acre_region_held(small), 3 * PAGE);
	ck_assert_uint_eq(acre_region_held(large), 30 * PAGE);
	filled(region, 1000, 1);
	assert_held(34 * PAGE);
	acre_region_close(small);
	acre_region_close(large);
	teardown();
}
END_TEST

START_TEST(a_buffer_does_not_count_to_the_limit)
{
	static char buffer[10000];
	acre_region *r;

	setup();
	r = open_with((acre_region_options){.buffer = buffer,
		.buffer_size = sizeof(buffer), .max_bytes = 2 * PAGE});
	while (acre_alloc(r, 500))
		;
	ck_assert_uint_eq(acre_region_held(r), 2 * PAGE);
	ck_assert_uint_ge(acre_region_used(r), 9000 + 2 * 3500);
	acre_region_close(r);
	teardown();
}
END_TEST

/* ---- reset ---- */

START_TEST(reset_keeps_the_first_block_and_no_other)
{
	uintptr_t top, limit;

	setup();
	top = region->top;
	limit = region->limit;
	for (int round = 0; round < 3; round++) {
		unsigned char *p = filled(region, 100, 1);

		ck_assert_uint_eq((uintptr_t)p, top);
		for (int i = 0; i < 100; i++)
			filled(region, 1000, i);
		acre_strdup(region, "text");
		filled(region, 100000, 1);
		ck_assert_ptr_null(acre_alloc(region, SIZE_MAX / 2));
		acre_region_reset(region);
		ck_assert_uint_eq(region->top, top);
		ck_assert_uint_eq(region->limit, limit);
		ck_assert_uint_eq(acre_region_used(region), 0);
		ck_assert_uint_eq(acre_region_held(region), PAGE);
		ck_assert(!acre_region_failed(region));
		assert_held(PAGE);
	}
	teardown();
}
END_TEST

START_TEST(reset_of_a_region_with_nothing_but_its_page)
{
	uintptr_t top;

	setup();
	top = region->top;
	acre_region_reset(region);
	filled(region, 100, 1);
	ck_assert_ptr_null(acre_alloc(region, SIZE_MAX / 2));
	acre_region_reset(region);
	ck_assert_uint_eq(region->top, top);
	ck_assert(!acre_region_failed(region));
	teardown();
}
END_TEST

/* A packed string moves the limit, and reset moves it back. */
START_TEST(reset_gives_strings_back)
{
	uintptr_t limit;
	char *text;

	setup();
	limit = region->limit;
	text = acre_strdup(region, "text");
	acre_region_reset(region);
	ck_assert_uint_eq(region->limit, limit);
	ck_assert_uint_eq(acre_region_used(region), 0);
	ck_assert_ptr_eq(acre_strdup(region, "text"), text);
	teardown();
}
END_TEST

/* Records of large objects are objects as well. */
START_TEST(reset_forgets_records)
{
	unsigned char *large, *small;

	setup();
	filled(region, 4 * MIB, 1);
	acre_region_reset(region);
	small = filled(region, 2 * KIB, 2);
	large = filled(region, 4 * MIB, 3);
	assert_filled(small, 2 * KIB, 2);
	assert_filled(large, 4 * MIB, 3);
	assert_held(acre_region_held(region));
	teardown();
}
END_TEST

/* ---- parents and children ---- */

START_TEST(children_close_with_their_parent)
{
	acre_region *child, *grandchild;

	setup();
	child = open_child(region);
	grandchild = open_child(child);
	filled(child, 9000, 1);
	filled(grandchild, 90000, 1);
	open_child(region);
	ck_assert_uint_eq(stats_of(pool).regions_open, 4);
	assert_held(acre_region_held(region) + acre_region_held(child) +
		acre_region_held(grandchild) + PAGE);
	/* Each for itself. */
	ck_assert_uint_eq(acre_region_held(region), PAGE);
	teardown();
}
END_TEST

/* Whichever of three siblings closes first, the others stay. */
START_TEST(a_child_may_close_before_its_parent)
{
	static const int orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1},
		{2, 1, 0},
	};

	for (size_t i = 0; i < COUNT(orders); i++) {
		for (int closed = 0; closed <= 3; closed++) {
			acre_region *children[3];

			setup();
			for (int j = 0; j < 3; j++)
				children[j] = open_child(region);
			for (int j = 0; j < closed; j++)
				acre_region_close(children[orders[i][j]]);
			ck_assert_uint_eq(stats_of(pool).regions_open,
				(size_t)(4 - closed));
			for (int j = closed; j < 3; j++)
				filled(children[orders[i][j]], 5000, j);
			open_child(region);
			acre_region_reset(region);
			ck_assert_uint_eq(stats_of(pool).regions_open, 1);
			assert_held(PAGE);
			teardown();
		}
	}
}
END_TEST

static int closed_count;

static void
count_closed(void *arg)
{
	(void)arg;
	closed_count++;
}

/* The deepest first, and without recursion: no stack holds so many. */
START_TEST(a_chain_of_100_000_children_closes)
{
	enum { DEPTH = 100000 };

	for (int branch = 0; branch < 2; branch++) {
		acre_region *deepest;

		setup();
		closed_count = 0;
		deepest = region;
		for (int i = 0; i < DEPTH / (branch + 1); i++) {
			deepest = open_child(deepest);
			if (branch)
				acre_cleanup_add(open_child(deepest),
					count_closed, NULL);
			else
				acre_cleanup_add(deepest, count_closed, NULL);
		}
		acre_region_close(region);
		region = NULL;
		ck_assert_int_eq(closed_count, DEPTH / (branch + 1));
		teardown();
	}
}
END_TEST

static char order[100];

static void
append(void *text)
{
	strcat(order, text);
}

static acre_region *
named_child(acre_region *parent, char *text)
{
	acre_region *child = open_child(parent);

	acre_cleanup_add(child, append, text);
	return child;
}

START_TEST(a_tree_closes_newest_first_and_children_before_parents)
{
	acre_region *a, *b;

	setup();
	order[0] = '\0';
	a = named_child(region, "a");
	b = named_child(region, "b");
	named_child(named_child(a, "c"), "d");
	named_child(a, "e");
	named_child(b, "f");
	named_child(region, "g");
	teardown();
	ck_assert_str_eq(order, "gfbedca");
}
END_TEST

START_TEST(a_childs_pool_may_be_another)
{
	acre_pool *other = pool_with((acre_pool_options){
		.page_size = 65536});
	acre_region *child;

	setup();
	child = acre_region_open_with(other,
		&(acre_region_options){.parent = region});
	ck_assert_ptr_nonnull(child);
	filled(child, 200000, 1);
	filled(region, 20000, 1);
	ck_assert_uint_eq(stats_of(other).region_bytes +
		stats_of(other).large_bytes, acre_region_held(child));
	ck_assert_int_eq(acre_pool_destroy(other), EBUSY);
	acre_region_close(region);
	region = NULL;
	ck_assert_uint_eq(stats_of(other).regions_open, 0);
	ck_assert_uint_eq(stats_of(other).region_bytes, 0);
	ck_assert_int_eq(acre_pool_destroy(other), 0);
	teardown();
}
END_TEST

START_TEST(a_child_in_its_parents_memory)
{
	acre_region *child;
	void *buffer;

	setup();
	buffer = acre_alloc(region, 2000);
	child = open_with((acre_region_options){.parent = region,
		.buffer = buffer, .buffer_size = 2000});
	filled(child, 500, 1);
	filled(child, 5000, 1);
	teardown();
}
END_TEST

/* ---- hand-over ---- */

START_TEST(detach_and_adopt_take_turns)
{
	acre_region *child;

	setup();
	ck_assert_int_eq(acre_region_adopt(region), EALREADY);
	ck_assert_int_eq(acre_region_detach(region), 0);
	ck_assert_int_eq(acre_region_detach(region), EALREADY);
	ck_assert_int_eq(acre_region_adopt(region), 0);
	ck_assert_int_eq(acre_region_adopt(region), EALREADY);
	child = open_child(region);
	ck_assert_int_eq(acre_region_detach(child), EINVAL);
	ck_assert_int_eq(acre_region_adopt(child), EALREADY);
	filled(child, 10, 1);
	/* The parent may go, with its children. */
	ck_assert_int_eq(acre_region_detach(region), 0);
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(pool,
		&(acre_region_options){.parent = region}));
	ck_assert_int_eq(errno, EINVAL);
	teardown();
}
END_TEST

/* What was there is there again, to the byte. */
START_TEST(adopt_gives_the_room_back)
{
	uintptr_t top, limit;
	size_t used;

	setup();
	for (int grown = 0; grown < 2; grown++) {
		filled(region, 100, 1);
		acre_strdup(region, "four");
		top = region->top;
		limit = region->limit;
		used = acre_region_used(region);
		ck_assert_int_eq(acre_region_detach(region), 0);
		ck_assert_uint_eq(acre_region_used(region), used);
		errno = 0;
		ck_assert_ptr_null(acre_alloc(region, 0));
		ck_assert_int_eq(errno, EPERM);
		ck_assert_int_eq(acre_region_failed(region), 1);
		ck_assert_int_eq(acre_region_adopt(region), 0);
		ck_assert_uint_eq(region->top, top);
		ck_assert_uint_eq(region->limit, limit);
		filled(region, 5000, 2);
	}
	teardown();
}
END_TEST

struct parcel {
	acre_region *region;
	unsigned char *object;
	unsigned char *large;
	acre_mark mark;
};

static void *
receive(void *arg)
{
	struct parcel *parcel = arg;

	ck_assert_int_eq(acre_region_adopt(parcel->region), 0);
	assert_filled(parcel->object, 100, 1);
	assert_filled(parcel->large, 100000, 2);
	parcel->large = acre_realloc(parcel->region, parcel->large, 100000,
		300000);
	assert_filled(parcel->large, 100000, 2);
	for (int i = 0; i < 100; i++)
		filled(parcel->region, 1000, i);
	acre_free(parcel->region, parcel->large, 300000);
	filled(open_child(parcel->region), 10000, 3);
	ck_assert_int_eq(acre_region_detach(parcel->region), 0);
	return NULL;
}

START_TEST(another_thread_goes_on_with_a_region)
{
	struct parcel parcel;

	setup();
	for (int i = 0; i < 20; i++) {
		parcel.region = acre_region_open(pool);
		parcel.object = filled(parcel.region, 100, 1);
		parcel.large = filled(parcel.region, 100000, 2);
		open_child(parcel.region);
		ck_assert_int_eq(acre_region_detach(parcel.region), 0);
		on_thread(receive, &parcel);
		/* And back, or closed as it is. */
		if (i % 2) {
			ck_assert_int_eq(acre_region_adopt(parcel.region), 0);
			filled(parcel.region, 5000, 4);
		}
		acre_region_close(parcel.region);
		assert_held(PAGE);
	}
	teardown();
}
END_TEST

/* A region whose first thread has ended lives on, and its cache goes to
 * another thread meanwhile. */
static void *
open_there(void *arg)
{
	(void)arg;
	acre_region *r = acre_region_open(pool);

	filled(r, 9000, 1);
	acre_region_detach(r);
	return r;
}

static void *
open_and_close(void *arg)
{
	acre_region_close(acre_region_open(pool));
	return arg;
}

START_TEST(a_region_outlives_its_first_thread)
{
	acre_region *regions[10];

	setup();
	for (int i = 0; i < 10; i++)
		regions[i] = on_thread(open_there, NULL);
	on_thread(open_and_close, NULL);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(acre_region_adopt(regions[i]), 0);
		filled(regions[i], 20000, i);
		filled(regions[i], 2000, i);
	}
	for (int i = 0; i < 10; i++)
		acre_region_close(regions[i]);
	assert_held(PAGE);
	teardown();
}
END_TEST

/* Not to the cache of the thread that opened, which only that one touches. */
static void *
close_ten(void *arg)
{
	acre_region **regions = arg;

	for (int i = 0; i < 10; i++)
		acre_region_close(regions[i]);
	return NULL;
}

START_TEST(pages_go_to_the_thread_that_closes)
{
	acre_region *regions[10];
	size_t idle;

	setup();
	for (int large = 0; large < 2; large++) {
		for (int i = 0; i < 10; i++) {
			regions[i] = acre_region_open(pool);
			for (int j = 0; j < 100 * large; j++)
				filled(regions[i], 3000, j);
		}
		idle = stats_of(pool).cache_bytes;
		on_thread(close_ten, regions);
		ck_assert_uint_eq(stats_of(pool).cache_bytes, idle);
		assert_held(PAGE);
	}
	teardown();
}
END_TEST

/* A thread that has no memory for a cache of its own can still give back what
 * it received: close cannot fail. */
static atomic_bool no_memory;

void *
aligned_alloc(size_t alignment, size_t size)
{
	void *p;

	return no_memory || posix_memalign(&p, alignment, size) ? NULL : p;
}

/* Valgrind has an aligned_alloc of its own, where this one is called and not
 * inlined. */
static bool
is_without_memory(void)
{
	void *(*volatile allocate)(size_t, size_t) = aligned_alloc;
	void *volatile p;

	no_memory = true;
	p = allocate(64, 64);
	no_memory = false;
	free(p);
	return !p;
}

static void *
close_without_memory(void *arg)
{
	struct parcel *parcel = arg;

	no_memory = true;
	errno = 0;
	ck_assert_ptr_null(acre_region_open(pool));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(pool,
		&(acre_region_options){.max_bytes = PAGE}));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(acre_region_open_with(pool,
		&(acre_region_options){.buffer = parcel->object,
			.buffer_size = 1000}));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(acre_region_adopt(parcel->region), 0);
	acre_free(parcel->region, parcel->large, 100000);
	acre_region_rewind(parcel->region, parcel->mark);
	fill_block(parcel->region);
	errno = 0;
	ck_assert_ptr_null(acre_alloc(parcel->region, 1));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(acre_alloc(parcel->region, 50000));
	ck_assert_int_eq(errno, ENOMEM);
	acre_region_close(parcel->region);
	no_memory = false;
	return NULL;
}

START_TEST(a_thread_without_memory_can_close)
{
	static struct test_source source = {.alignment = PAGE};
	struct parcel parcel;

	if (!is_without_memory())
		return;
	setup_with((acre_pool_options){.source = test_source_init(&source),
		.chunk_size = 256 * PAGE, .max_bytes = 256 * PAGE});
	for (int i = 0; i < 3; i++) {
		parcel.region = acre_region_open(pool);
		parcel.object = filled(parcel.region, 1000, 1);
		parcel.large = filled(parcel.region, 100000, 2);
		for (int j = 0; j < 50; j++)
			filled(parcel.region, 2000, j);
		parcel.mark = acre_region_mark(parcel.region);
		for (int j = 0; j < 50; j++)
			filled(parcel.region, 2000, j);
		filled(parcel.region, 20000, 2);
		ck_assert_int_eq(acre_region_detach(parcel.region), 0);
		on_thread(close_without_memory, &parcel);
		assert_held(PAGE);
	}
	/* Nothing was lost, nor is anything there twice. */
	while (acre_alloc(region, 500))
		;
	ck_assert_uint_eq(acre_region_held(region), 256 * PAGE);
	teardown();
	ck_assert_uint_eq(source.live, 0);
}
END_TEST

/* Each of a ring of threads opens regions and closes those of the one before;
 * the memory that they need does not grow. */
enum { RING = 4, ROUNDS = 2000, SLOTS = 8 };

static struct ring {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	acre_region *slots[SLOTS];
	size_t head, tail;
} rings[RING];

static void
ring_put(struct ring *ring, acre_region *r)
{
	pthread_mutex_lock(&ring->lock);
	while (ring->head - ring->tail == SLOTS)
		pthread_cond_wait(&ring->changed, &ring->lock);
	ring->slots[ring->head++ % SLOTS] = r;
	pthread_cond_broadcast(&ring->changed);
	pthread_mutex_unlock(&ring->lock);
}

static acre_region *
ring_get(struct ring *ring)
{
	acre_region *r;

	pthread_mutex_lock(&ring->lock);
	while (ring->head == ring->tail)
		pthread_cond_wait(&ring->changed, &ring->lock);
	r = ring->slots[ring->tail++ % SLOTS];
	pthread_cond_broadcast(&ring->changed);
	pthread_mutex_unlock(&ring->lock);
	return r;
}

static void *
pass_on(void *arg)
{
	size_t me = (size_t)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		acre_region *r = acre_region_open(pool);

		for (int j = 0; j < i % 30; j++)
			filled(r, 900, j);
		if (i % 7 == 0)
			filled(open_child(r), 20000, 1);
		acre_region_detach(r);
		ring_put(&rings[me], r);
		r = ring_get(&rings[(me + 1) % RING]);
		if (i % 2) {
			ck_assert_int_eq(acre_region_adopt(r), 0);
			for (int j = 0; j < i % 30; j++)
				filled(r, 900, j);
		}
		acre_region_close(r);
	}
	return NULL;
}

static void
go_around(void)
{
	pthread_t threads[RING];

	for (size_t i = 0; i < RING; i++) {
		rings[i] = (struct ring){0};
		pthread_mutex_init(&rings[i].lock, NULL);
		pthread_cond_init(&rings[i].changed, NULL);
	}
	for (size_t i = 0; i < RING; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, pass_on,
			(void *)(uintptr_t)i), 0);
	for (size_t i = 0; i < RING; i++)
		pthread_join(threads[i], NULL);
	assert_held(PAGE);
	ck_assert_uint_lt(stats_of(pool).chunk_bytes, 32 * MIB);
}

/* With small caches, these regions are large ones. */
START_TEST(regions_go_around_a_ring_of_threads)
{
	static const size_t cache_bytes[] = {0, 32 * PAGE};

	for (size_t i = 0; i < COUNT(cache_bytes); i++) {
		setup_with((acre_pool_options){
			.cache_bytes = cache_bytes[i]});
		go_around();
		teardown();
	}
}
END_TEST

/* ---- what it says of itself ---- */

START_TEST(used_is_what_was_handed_out)
{
	size_t used = 0;

	setup();
	for (size_t size = 0; size < 8 * KIB; size += 37) {
		filled(region, size, 1);
		used += ALIGN_UP(size ? size : 1);
		ck_assert_uint_eq(acre_region_used(region), used);
		assert_held(acre_region_held(region));
		ck_assert_uint_le(used, acre_region_held(region));
	}
	ck_assert(!acre_region_failed(region));
	teardown();
}
END_TEST

SUITE("region", close_of_null_is_fine, open_without_a_pool_is_refused,
	no_options_and_empty_ones_are_the_same,
	a_region_keeps_its_name_for_reports, wrong_options_are_refused,
	a_closed_regions_page_is_reused_first, close_leaves_errno_alone,
	out_of_memory_leaves_earlier_objects_and_the_region_usable,
	a_buffer_is_used_first, a_buffer_that_is_too_small_is_left_alone,
	each_region_has_its_limit, a_buffer_does_not_count_to_the_limit,
	reset_keeps_the_first_block_and_no_other,
	reset_of_a_region_with_nothing_but_its_page, reset_gives_strings_back,
	reset_forgets_records, children_close_with_their_parent,
	a_child_may_close_before_its_parent,
	a_chain_of_100_000_children_closes,
	a_tree_closes_newest_first_and_children_before_parents,
	a_childs_pool_may_be_another, a_child_in_its_parents_memory,
	detach_and_adopt_take_turns, adopt_gives_the_room_back,
	another_thread_goes_on_with_a_region,
	a_region_outlives_its_first_thread,
	pages_go_to_the_thread_that_closes, a_thread_without_memory_can_close,
	regions_go_around_a_ring_of_threads, used_is_what_was_handed_out)
