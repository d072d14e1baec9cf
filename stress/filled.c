/* SPDX-License-Identifier: MIT */
/*
 * filled.c - fills regions with words that tell whose they are.
 */
#include "stress/filled.h"

#include <errno.h>
#include <inttypes.h>

/* The first word is the id itself, so that a failure can name the other. */
static uint64_t
word(uint64_t id, size_t object, size_t i)
{
	return i ? id ^ ((uint64_t)object << 20 | i) * 0x9e3779b97f4a7c15 : id;
}

/* No memory is fine where there is a limit; nothing else is. */
static bool
refused(void)
{
	if (errno != ENOMEM)
		stress_fail("errno is %d, not ENOMEM", errno);
	return false;
}

/* The region has taken a block more than was counted. */
static void
count_block(struct filled *filled, struct tally *tally)
{
	size_t held = acre_region_held(filled->region);

	tally->pages_taken++;
	tally->bytes_held += held - filled->held;
	filled->held = held;
}

bool
filled_open_with(struct filled *filled, acre_pool *pool,
	const acre_region_options *options, uint64_t id, struct tally *tally)
{
	filled->region = acre_region_open_with(pool, options);
	if (!filled->region)
		return refused();
	filled->id = id;
	filled->held = 0;
	filled->count = 0;
	tally->opened++;
	count_block(filled, tally);
	return true;
}

bool
filled_open(struct filled *filled, acre_pool *pool, uint64_t id,
	struct tally *tally)
{
	return filled_open_with(filled, pool, NULL, id, tally);
}

bool
filled_add(struct filled *filled, size_t size, struct tally *tally)
{
	size_t object = filled->count;
	uint64_t *words;

	if (object == FILLED_OBJECTS)
		return false;
	words = acre_alloc(filled->region, size);
	if (!words)
		return refused();
	if ((uintptr_t)words % ACRE_ALIGN)
		stress_fail("object at %p is not aligned", (void *)words);
	if (acre_region_held(filled->region) != filled->held)
		count_block(filled, tally);
	for (size_t i = 0; i < size / sizeof(*words); i++)
		words[i] = word(filled->id, object, i);
	filled->objects[object].words = words;
	filled->objects[object].count = size / sizeof(*words);
	filled->count++;
	return true;
}

static void
verify_object(const struct filled *filled, size_t object)
{
	const uint64_t *words = filled->objects[object].words;

	for (size_t i = 0; i < filled->objects[object].count; i++) {
		if (words[i] == word(filled->id, object, i))
			continue;
		stress_fail("region %" PRIx64 ", object %zu, word %zu at %p: "
			    "%" PRIx64 " is another's", filled->id, object, i,
			(const void *)&words[i], words[i]);
		return;
	}
}

void
filled_drop(struct filled *filled, struct tally *tally)
{
	size_t last = --filled->count;
	size_t held;

	verify_object(filled, last);
	acre_free(filled->region, filled->objects[last].words,
		filled->objects[last].count * sizeof(uint64_t));
	held = acre_region_held(filled->region);
	tally->bytes_held += held - filled->held;
	filled->held = held;
}

void
filled_verify(const struct filled *filled)
{
	for (size_t i = 0; i < filled->count; i++)
		verify_object(filled, i);
}

void
filled_close(struct filled *filled, struct tally *tally)
{
	filled_verify(filled);
	acre_region_close(filled->region);
	filled->region = NULL;
	tally->closed++;
	tally->bytes_held -= filled->held;
}
