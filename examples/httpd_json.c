/* SPDX-License-Identifier: MIT */
/*
 * httpd_json.c - cJSON in a request's memory.
 *
 *	worker thread --> current region --> hook_alloc <-- cJSON
 *
 * The region that cJSON allocates from is thread-local and set only while
 * a call into cJSON runs, so requests on other threads never meet.
 *
 * Errors are read from what the call returns. cJSON_GetErrorPtr reads a
 * global that every parse in the process writes: never used here.
 */
#include "httpd_json.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static _Thread_local acre_region *current;

static void *
hook_alloc(size_t size)
{
	if (current == NULL) {
		errno = ENOMEM; /* A call without json_enter around it. */
		return NULL;
	}
	return acre_alloc(current, size);
}

static void
hook_free(void *p)
{
	(void)p; /* Goes when its region closes. */
}

void
json_use_regions(void)
{
	cJSON_Hooks hooks = {.malloc_fn = hook_alloc, .free_fn = hook_free};

	cJSON_InitHooks(&hooks);
}

acre_region *
json_enter(acre_region *region)
{
	acre_region *outer = current;

	current = region;
	return outer;
}

void
json_leave(acre_region *outer)
{
	current = outer;
}

/*
 * cJSON skips NUL bytes as if they were spaces; JSON has none, so the first
 * one ends the text as far as we are concerned.
 */
static bool
has_nul(const char *text, size_t length, size_t *where)
{
	const char *nul = memchr(text, '\0', length);

	if (nul != NULL)
		*where = (size_t)(nul - text);
	return nul != NULL;
}

cJSON *
json_parse(acre_region *region, const char *text, size_t length,
	size_t *stopped)
{
	const char *end = text;
	acre_region *outer;
	cJSON *tree;

	if (has_nul(text, length, stopped)) {
		errno = EINVAL;
		return NULL;
	}
	/* NULL stands for "no memory" too: errno tells them apart. */
	errno = 0;
	outer = json_enter(region);
	tree = cJSON_ParseWithLengthOpts(text, length + 1, &end, 1);
	json_leave(outer);
	*stopped = (size_t)(end - text);
	if (tree == NULL && errno != ENOMEM)
		errno = EINVAL;
	return tree;
}

char *
json_print(acre_region *region, const cJSON *tree, size_t expected)
{
	int room = expected < INT_MAX ? (int)expected : INT_MAX;
	acre_region *outer = json_enter(region);
	char *text = cJSON_PrintBuffered(tree, room, 0);

	json_leave(outer);
	if (text == NULL)
		errno = ENOMEM;
	return text;
}

void
json_delete(acre_region *region, cJSON *tree)
{
	if (region == NULL)
		cJSON_Delete(tree);
}
