/* SPDX-License-Identifier: MIT */
/*
 * cleanup.c - functions that run when a region ends.
 *
 * A list, newest first. A cleanup is taken off the list before it runs: so
 * none runs twice, whatever it registers or cancels.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/region.h"

void
acre_cleanup_link(acre_region *cursor, acre_cleanup *storage,
	void (*fn)(void *), void *arg)
{
	struct more *more = region_more(region_of(cursor));

	*storage = (acre_cleanup){
		.next = more->cleanups,
		.fn = fn,
		.arg = arg,
		.order = ++more->serial,
	};
	more->cleanups = storage;
	region_of(cursor)->state |= STATE_ATTACHED;
}

int
acre_cleanup_add(acre_region *cursor, void (*fn)(void *), void *arg)
{
	acre_cleanup *storage;

	if (!fn)
		return EINVAL;
	storage = acre_alloc(cursor, sizeof(*storage));
	if (!storage)
		return errno;
	acre_cleanup_link(cursor, storage, fn, arg);
	return 0;
}

int
acre_cleanup_cancel(acre_region *cursor, void (*fn)(void *), void *arg)
{
	struct region *region = region_of(cursor);
	acre_cleanup **link = &region->more.cleanups;

	if (!(region->state & STATE_MORE))
		return ENOENT;
	while (*link && !((*link)->fn == fn && (*link)->arg == arg))
		link = &(*link)->next;
	if (!*link)
		return ENOENT;
	*link = (*link)->next;
	return 0;
}

bool
cleanup_run(struct region *region, uint64_t serial)
{
	acre_cleanup *cleanup = region->more.cleanups;

	if (!cleanup || cleanup->order <= serial)
		return false;
	region->more.cleanups = cleanup->next;
	cleanup->fn(cleanup->arg);
	return true;
}

void
acre_cleanup_close(void *fd)
{
	close((int)(intptr_t)fd);
}

void
acre_cleanup_fclose(void *file)
{
	fclose(file);
}

void
acre_cleanup_free(void *p)
{
	free(p);
}
