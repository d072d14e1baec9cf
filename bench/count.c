/* SPDX-License-Identifier: MIT */
/*
 * count.c - loops to count instructions in. See instructions.sh.
 *
 *	count LOOP N		runs one of the loops below N times
 *	count build		"plain", or why counts of this build say nothing
 *
 * What one call costs is the difference between two loops that are the same
 * but for that call. Sizes come from a table and objects go to code that the
 * compiler cannot see, so that nothing is known or left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <acre/acre.h>

#define OBJECTS 60
#define LARGEST 64 /* OBJECTS of it fit into a page */
#define PAGE ((size_t)4096)
#define LONG_PAGES ((size_t)100000)

void *count_alone(acre_region *region, size_t size);

/* What instructions.sh disassembles. */
__attribute__((noinline)) void *
count_alone(acre_region *region, size_t size)
{
	return acre_alloc(region, size);
}

static inline __attribute__((always_inline)) void
show(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void
loop_nothing(acre_pool *pool, const size_t *sizes, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		show(pool);
		show(sizes);
	}
}

static void
loop_empty(acre_pool *pool, const size_t *sizes, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		acre_region *region = acre_region_open(pool);

		show(region);
		show(sizes);
		acre_region_close(region);
	}
}

static void
loop_sizes(acre_pool *pool, const size_t *sizes, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		acre_region *region = acre_region_open(pool);

		for (size_t o = 0; o < OBJECTS; o++)
			show((const void *)sizes[o]);
		acre_region_close(region);
	}
}

static void
loop_alloc(acre_pool *pool, const size_t *sizes, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		acre_region *region = acre_region_open(pool);

		for (size_t o = 0; o < OBJECTS; o++)
			show(acre_alloc(region, sizes[o]));
		acre_region_close(region);
	}
}

static void
loop_zalloc(acre_pool *pool, const size_t *sizes, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		acre_region *region = acre_region_open(pool);

		for (size_t o = 0; o < OBJECTS; o++) {
			show((const void *)sizes[o]);
			show(acre_zalloc(region, LARGEST));
		}
		acre_region_close(region);
	}
}

/* Long regions; instructions.sh counts in close alone. */
static void
loop_long(acre_pool *pool, const size_t *sizes, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		acre_region *region = acre_region_open(pool);

		while (acre_region_held(region) < LONG_PAGES * PAGE)
			show(acre_alloc(region, PAGE - LARGEST));
		show(sizes);
		acre_region_close(region);
	}
}

static const struct loop {
	const char *name;
	void (*run)(acre_pool *pool, const size_t *sizes, unsigned long n);
} loops[] = {
	{"nothing", loop_nothing},
	{"empty", loop_empty},
	{"sizes", loop_sizes},
	{"alloc", loop_alloc},
	{"zalloc", loop_zalloc},
	{"long", loop_long},
};

#if !defined(__x86_64__)
#define BUILD "not x86-64"
#elif !defined(__GNUC__) || defined(__clang__)
#define BUILD "not gcc's"
#elif !defined(__OPTIMIZE__) || defined(__OPTIMIZE_SIZE__)
#define BUILD "not optimised for speed"
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BUILD "one with a sanitizer"
#else
#define BUILD "plain"
#endif

static const struct loop *
find_loop(const char *name)
{
	for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++)
		if (strcmp(name, loops[i].name) == 0)
			return &loops[i];
	return NULL;
}

int
main(int argc, char **argv)
{
	const struct loop *loop = argc == 3 ? find_loop(argv[1]) : NULL;
	size_t sizes[OBJECTS];
	acre_pool *pool;

	if (argc == 2 && strcmp(argv[1], "build") == 0) {
		puts(BUILD);
		return 0;
	}
	if (loop == NULL) {
		fprintf(stderr, "usage: %s build | LOOP N\n", argv[0]);
		return 2;
	}
	pool = acre_pool_create(NULL);
	if (pool == NULL) {
		perror(argv[0]);
		return 1;
	}
	for (size_t i = 0; i < OBJECTS; i++)
		sizes[i] = 1 + i % LARGEST;
	loop->run(pool, sizes, strtoul(argv[2], NULL, 10));
	return acre_pool_destroy(pool);
}
