/* SPDX-License-Identifier: MIT */
/* mmap_test.c - mapped pieces are aligned, keep their contents, and are
 * unmapped when they are freed. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/fixture.h"

static const struct {
	const acre_allocator *allocator;
	size_t align;
} kinds[] = {
	{&acre_mmap_allocator, PAGE},
	{&acre_huge_allocator, 2 * MIB},
};

static const size_t sizes[] = {
	0, 1, 4095, 4096, 4097, 100000, 2 * MIB, 2 * MIB + 1, 5 * MIB,
};

/* mincore knows only what is mapped. */
static bool
is_mapped(const void *p)
{
	unsigned char resident;
	uintptr_t page = (uintptr_t)p & ~(PAGE - 1);

	return mincore((void *)page, PAGE, &resident) == 0;
}

static unsigned char *
allocate(const acre_allocator *a, size_t size)
{
	unsigned char *p = a->allocate(a->userdata, size);

	ck_assert_ptr_nonnull(p);
	return p;
}

/* Also the header's page, and nothing around it. */
START_TEST(pieces_are_aligned_zero_and_unmapped_whole)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const acre_allocator *a = kinds[i].allocator;

		for (size_t j = 0; j < COUNT(sizes); j++) {
			size_t size = sizes[j] ? sizes[j] : 1;
			unsigned char *p = allocate(a, sizes[j]);

			ck_assert_uint_eq((uintptr_t)p % kinds[i].align, 0);
			assert_filled(p, size, 0);
			memset(p, 0xff, size);
			ck_assert(is_mapped(p - 1));
			a->free(a->userdata, p);
			ck_assert(!is_mapped(p - 1));
			for (size_t at = 0; at < size; at += PAGE)
				ck_assert(!is_mapped(p + at));
		}
		a->free(a->userdata, NULL);
	}
}
END_TEST

/* Bytes of address space. */
static size_t
mapped_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	size_t pages;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%zu", &pages), 1);
	fclose(file);
	return pages * PAGE;
}

/* Pages around the piece, and around what it was, go back: fifty pieces of
 * huge pages would leave 100 MiB, and so would 20,000 header pages. Half of
 * it is for others in the process. */
START_TEST(a_piece_leaves_nothing_behind)
{
	enum { PIECES = 50 };
	static const size_t rounds[] = {500, 3};

	for (size_t i = 0; i < COUNT(kinds); i++) {
		const acre_allocator *a = kinds[i].allocator;
		unsigned char *pieces[PIECES];
		size_t before, bytes = PIECES * (PIECES + 3) / 2 * 10 * PAGE;

		a->free(a->userdata, allocate(a, 1));
		before = mapped_bytes();
		for (size_t round = 0; round < rounds[i]; round++) {
			for (size_t j = 0; j < PIECES; j++) {
				pieces[j] = allocate(a, (j + 1) * 10 * PAGE);
				pieces[j] = a->reallocate(a->userdata,
					pieces[j], 0, (j + 2) * 10 * PAGE);
				ck_assert_ptr_nonnull(pieces[j]);
			}
			ck_assert_uint_le(mapped_bytes() - before,
				bytes + 50 * MIB);
			for (size_t j = 0; j < PIECES; j++)
				a->free(a->userdata, pieces[j]);
		}
		ck_assert_uint_le(mapped_bytes(), before + 50 * MIB);
	}
}
END_TEST

START_TEST(reallocate_keeps_contents_and_alignment)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const acre_allocator *a = kinds[i].allocator;

		for (size_t from = 0; from < COUNT(sizes); from++) {
			for (size_t to = 0; to < COUNT(sizes); to++) {
				size_t least = sizes[from] < sizes[to] ?
					sizes[from] : sizes[to];
				unsigned char *p = allocate(a, sizes[from]);

				memset(p, 7, sizes[from]);
				p = a->reallocate(a->userdata, p,
					to % 2 ? sizes[from] :
					ACRE_SIZE_UNKNOWN, sizes[to]);
				ck_assert_ptr_nonnull(p);
				ck_assert_uint_eq((uintptr_t)p %
					kinds[i].align, 0);
				assert_filled(p, least, 7);
				memset(p, 8, sizes[to]);
				a->free(a->userdata, p);
				ck_assert(!is_mapped(p - 1));
			}
		}
	}
}
END_TEST

START_TEST(reallocate_of_null_allocates)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const acre_allocator *a = kinds[i].allocator;
		unsigned char *p = a->reallocate(a->userdata, NULL, 0, 5000);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % kinds[i].align, 0);
		assert_filled(p, 5000, 0);
		a->free(a->userdata, p);
	}
}
END_TEST

/* More than the address space has, and more than a size can say. */
static const size_t impossible[] = {
	(size_t)1 << 62, SIZE_MAX / 2 - 4096, SIZE_MAX / 2, SIZE_MAX - 4096,
	SIZE_MAX - 4095, SIZE_MAX,
};

START_TEST(what_cannot_be_is_refused_and_changes_nothing)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const acre_allocator *a = kinds[i].allocator;
		unsigned char *p = allocate(a, 5000);

		memset(p, 9, 5000);
		for (size_t j = 0; j < COUNT(impossible); j++) {
			size_t size = impossible[j];

			ck_assert_ptr_null(a->allocate(a->userdata, size));
			ck_assert_ptr_null(a->reallocate(a->userdata, p, 5000,
				size));
		}
		assert_filled(p, 5000, 9);
		a->free(a->userdata, p);
	}
}
END_TEST

/* The flags of p's mapping, from /proc/self/smaps. */
static bool
has_flag(const void *p, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	bool inside = false, found = false;
	char line[1000];
	uintptr_t from, to;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)p >= from && (uintptr_t)p < to;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, flag) != NULL;
	}
	fclose(file);
	return found;
}

START_TEST(huge_pages_are_asked_for)
{
	const acre_allocator *a = &acre_huge_allocator;
	struct stat unused;
	unsigned char *p = allocate(a, 4 * MIB);

	if (!stat("/sys/kernel/mm/transparent_hugepage", &unused)) {
		ck_assert(has_flag(p, " hg"));
		ck_assert(has_flag(p + 3 * MIB, " hg"));
	}
	a->free(a->userdata, p);
	a = &acre_mmap_allocator;
	p = allocate(a, 4 * MIB);
	ck_assert(!has_flag(p, " hg"));
	a->free(a->userdata, p);
}
END_TEST

/* Chunks need no slack, and all goes back. */
START_TEST(a_pool_lives_over_each)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		unsigned char *p;

		setup_with((acre_pool_options){
			.source = kinds[i].allocator});
		for (int j = 0; j < 2000; j++)
			filled(region, 1000, j);
		p = filled(region, 10 * MIB, 1);
		ck_assert_uint_eq(stats_of(pool).slack_bytes, 0);
		p = acre_realloc(region, p, 10 * MIB, 20 * MIB);
		assert_filled(p, 10 * MIB, 1);
		p = acre_realloc(region, p, 20 * MIB, 5 * MIB);
		assert_filled(p, 5 * MIB, 1);
		ck_assert_uint_eq(stats_of(pool).large_bytes, 5 * MIB);
		acre_free(region, p, 5 * MIB);
		ck_assert(!is_mapped(p));
		p = (unsigned char *)region;
		ck_assert_uint_eq(stats_of(pool).chunk_bytes /
			stats_of(pool).chunks, i ? 2 * MIB : MIB);
		teardown();
		ck_assert(!is_mapped(p));
	}
}
END_TEST

SUITE("mmap", pieces_are_aligned_zero_and_unmapped_whole,
	a_piece_leaves_nothing_behind,
	reallocate_keeps_contents_and_alignment, reallocate_of_null_allocates,
	what_cannot_be_is_refused_and_changes_nothing,
	huge_pages_are_asked_for, a_pool_lives_over_each)
