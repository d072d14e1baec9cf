/* SPDX-License-Identifier: MIT */
/*
 * source.h - what a pool takes from its source, and the limit on it.
 */
#ifndef ACRE_LIB_SOURCE_H
#define ACRE_LIB_SOURCE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acre/acre.h"
#include "lib/atomic.h"

struct source {
	/* Fixed at creation. */
	acre_allocator allocator;
	size_t max_bytes; /* 0: no limit */

	/* Any thread, atomics only. */
	alignas(CACHE_LINE) _Atomic(size_t) reserved; /* bytes, before a call */
	_Atomic(size_t) settled; /* bytes in use; == reserved, at rest */
	_Atomic(uint64_t) calls; /* for more memory */
};

/*
 * Take size bytes, aligned to ACRE_ALIGN; misaligned memory is refused. When
 * what it was taken for is in use, or has failed, source_settle says so.
 *
 * Returns NULL and sets *error: EAGAIN (*reserved bytes were reserved and
 * leave no room below max_bytes), ENOMEM (the source has no more).
 * Threads: any. Progress: the source's.
 */
void *source_take(struct source *source, size_t size, size_t *reserved,
	int *error);
void source_settle(struct source *source, size_t size);

/*
 * After EAGAIN: is it worth another try? Of what was reserved then, some was
 * between source_take and source_settle, and may serve this thread too or
 * have come to nothing; or some has been given back since.
 */
bool source_has_changed(const struct source *source, size_t reserved);

/*
 * Resize settled memory. Returns NULL with the memory as it was and *error as
 * source_take, or ENOTSUP: this source cannot.
 */
void *source_resize(struct source *source, void *memory, size_t old_size,
	size_t new_size, int *error);

/* In a fork's child: so many bytes are in use; what other threads had reserved
 * comes to nothing. */
void source_recount(struct source *source, size_t settled);

/*
 * Give the OS pages of settled memory back, but not their addresses: what is
 * read there next is indeterminate. Only where the source's memory is known to
 * be plain: acre_malloc_allocator's and acre_mmap_allocator's.
 *
 * Returns the bytes that were given back. Progress: a system call.
 */
size_t source_purge(const struct source *source, void *memory, size_t size);

/* Give settled memory back. */
void source_give(struct source *source, void *memory, size_t size);

#endif
