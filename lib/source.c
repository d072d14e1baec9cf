/* SPDX-License-Identifier: MIT */
/*
 * source.c - every call of a pool's source goes through here.
 *
 * Bytes are reserved by compare-and-swap before the source is asked, so the
 * limit holds to the byte whatever other threads do; no lock is held while
 * the source runs.
 */
#include "lib/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* *reserved is what was reserved before, also when that leaves no room. */
static bool
reserve(struct source *source, size_t size, size_t *reserved)
{
	size_t most = source->max_bytes ? source->max_bytes : SIZE_MAX;

	*reserved = load_relaxed(&source->reserved);
	do {
		if (size > most - *reserved)
			return false;
	} while (!cas_relaxed(&source->reserved, reserved, *reserved + size));
	return true;
}

static bool
is_aligned(const void *memory)
{
	return (uintptr_t)memory % ACRE_ALIGN == 0;
}

void *
source_take(struct source *source, size_t size, size_t *reserved, int *error)
{
	const acre_allocator *allocator = &source->allocator;
	void *memory;

	*error = EAGAIN;
	if (!reserve(source, size, reserved))
		return NULL;
	add_relaxed(&source->calls, 1);
	memory = allocator->allocate(allocator->userdata, size);
	if (memory && is_aligned(memory))
		return memory;
	if (memory)
		allocator->free(allocator->userdata, memory);
	sub_relaxed(&source->reserved, size);
	*error = ENOMEM;
	return NULL;
}

void
source_settle(struct source *source, size_t size)
{
	/* Release: who sees these bytes settled sees what they are used for.
	 * Pairs with the acquire in source_has_changed. */
	add_release(&source->settled, size);
}

bool
source_has_changed(const struct source *source, size_t reserved)
{
	return load_acquire(&source->settled) != reserved;
}

static void
release(struct source *source, size_t size)
{
	sub_relaxed(&source->settled, size);
	sub_relaxed(&source->reserved, size);
}

void *
source_resize(struct source *source, void *memory, size_t old_size,
	size_t new_size, int *error)
{
	const acre_allocator *allocator = &source->allocator;
	size_t more = new_size > old_size ? new_size - old_size : 0;
	size_t reserved;
	void *moved;

	*error = ENOTSUP;
	if (!allocator->reallocate)
		return NULL;
	*error = EAGAIN;
	if (!reserve(source, more, &reserved))
		return NULL;
	add_relaxed(&source->calls, 1);
	moved = allocator->reallocate(allocator->userdata, memory, old_size,
		new_size);
	if (!moved) {
		sub_relaxed(&source->reserved, more);
		*error = ENOMEM;
		return NULL;
	}
	if (!is_aligned(moved)) {
		/* The object has no other place any more. */
		fprintf(stderr, "acre: the source's reallocate returned "
				"misaligned memory\n");
		abort();
	}
	source_settle(source, more);
	if (new_size < old_size)
		release(source, old_size - new_size);
	return moved;
}

static bool
is_like(const struct source *source, const acre_allocator *other)
{
	return source->allocator.allocate == other->allocate &&
		source->allocator.free == other->free;
}

static bool
is_plain(const struct source *source)
{
	return is_like(source, &acre_malloc_allocator) ||
		is_like(source, &acre_mmap_allocator);
}

size_t
source_purge(const struct source *source, void *memory, size_t size)
{
	uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t first = ((uintptr_t)memory + mask) & ~mask;
	uintptr_t end = ((uintptr_t)memory + size) & ~mask;

	if (!is_plain(source) || first >= end ||
		madvise((void *)first, end - first, MADV_DONTNEED))
		return 0;
	return end - first;
}

void
source_give(struct source *source, void *memory, size_t size)
{
	source->allocator.free(source->allocator.userdata, memory);
	release(source, size);
}

void
source_recount(struct source *source, size_t settled)
{
	store_relaxed(&source->settled, settled);
	store_relaxed(&source->reserved, settled);
}
