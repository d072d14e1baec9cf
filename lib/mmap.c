/* SPDX-License-Identifier: MIT */
/*
 * mmap.c - allocators that map each piece by itself.
 *
 *   header page       piece, aligned
 *     [ size ........ ][ ............................ ]
 *
 * free is told no size, so the page before the piece knows it.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "acre/allocator.h"

#define HUGE_PAGE ((size_t)2 << 20)

struct header {
	size_t size; /* of the piece, in whole pages */
};

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static struct header *
header_of(void *piece)
{
	return (struct header *)((char *)piece - page_size());
}

/* Unmap [from, to). */
static void
unmap(char *from, char *to)
{
	if (from < to)
		munmap(from, (size_t)(to - from));
}

/* A piece of size bytes (whole pages), aligned to align (a page or more). */
static void *
map(size_t size, size_t align)
{
	size_t page = page_size();
	size_t all = size + align;
	char *start, *piece;

	start = mmap(NULL, all, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		return NULL;
	piece = (char *)(((uintptr_t)start + page + align - 1) &
		~(uintptr_t)(align - 1));
	unmap(start, piece - page);
	unmap(piece + size, start + all);
	header_of(piece)->size = size;
	return piece;
}

/* size in whole pages, or 0 when that is more than can be mapped. */
static size_t
whole_pages(size_t size)
{
	size_t page = page_size();

	if (size > PTRDIFF_MAX - 2 * HUGE_PAGE)
		return 0;
	return size ? (size + page - 1) & ~(page - 1) : page;
}

static void *
mmap_allocate(void *userdata, size_t size)
{
	(void)userdata;
	size = whole_pages(size);
	return size ? map(size, page_size()) : NULL;
}

static void *
huge_allocate(void *userdata, size_t size)
{
	void *piece;

	(void)userdata;
	size = whole_pages(size);
	piece = size ? map(size, HUGE_PAGE) : NULL;
	/* A wish: without huge pages the piece serves all the same. */
	if (piece)
		madvise(piece, size, MADV_HUGEPAGE);
	return piece;
}

static void
mmap_free(void *userdata, void *p)
{
	(void)userdata;
	if (p)
		unmap((char *)header_of(p), (char *)p + header_of(p)->size);
}

static void *
mmap_reallocate(void *userdata, void *p, size_t old_size, size_t new_size)
{
	size_t page = page_size();
	char *start;

	(void)old_size;
	if (!p)
		return mmap_allocate(userdata, new_size);
	new_size = whole_pages(new_size);
	if (!new_size)
		return NULL;
	start = mremap(header_of(p), header_of(p)->size + page,
		new_size + page, MREMAP_MAYMOVE);
	if (start == MAP_FAILED)
		return NULL;
	((struct header *)start)->size = new_size;
	return start + page;
}

static void *
huge_reallocate(void *userdata, void *p, size_t old_size, size_t new_size)
{
	void *moved = huge_allocate(userdata, new_size);

	(void)old_size;
	if (!moved || !p)
		return moved;
	old_size = header_of(p)->size;
	memcpy(moved, p, old_size < new_size ? old_size : new_size);
	mmap_free(userdata, p);
	return moved;
}

const acre_allocator acre_mmap_allocator = {
	.allocate = mmap_allocate,
	.reallocate = mmap_reallocate,
	.free = mmap_free,
};

const acre_allocator acre_huge_allocator = {
	.allocate = huge_allocate,
	.reallocate = huge_reallocate,
	.free = mmap_free,
};
