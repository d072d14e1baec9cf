/* SPDX-License-Identifier: MIT */
/*
 * readers.c - actors in read-side sections, while others retire.
 */
#include "fuzz/readers.h"

#include <stddef.h>
#include <urcu/urcu-bp.h>

#include "fuzz/model.h"

bool reader_inside[ACTORS];

bool
readers_any(void)
{
	for (unsigned i = 0; i < ACTORS; i++)
		if (reader_inside[i])
			return true;
	return false;
}

static void
enter(void *actor)
{
	(void)actor;
	urcu_bp_read_lock();
}

static void
leave(void *actor)
{
	(void)actor;
	model_check_ghosts();
	acre_reader_leaves(NULL);
	urcu_bp_read_unlock();
}

void
reader_leaves(unsigned actor)
{
	if (reader_inside[actor])
		actor_run(actor, leave, NULL);
	reader_inside[actor] = false;
	model_drop_ghosts();
}

void
reader_enters(unsigned actor)
{
	if (!reader_inside[actor])
		actor_run(actor, enter, NULL);
	reader_inside[actor] = true;
}
