/* SPDX-License-Identifier: MIT */
/*
 * options.c - defaults for a pool's options, and what is wrong with them.
 */
#include "lib/options.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/sizes.h"

#define CHUNK_PAGES 256
#define CACHE_PAGES 512
#define CACHE_BYTES ((size_t)2 << 20)
#define HUGE_CHUNK ((size_t)2 << 20)
#define LIMBO_BYTES ((size_t)64 << 20)
#define FLAGS_KNOWN ACRE_NONBLOCKING

static bool
is_power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

static size_t
os_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Copy what the caller's header knew. A newer header's fields must be zero:
 * this library does not know what they ask for. */
static bool
copy_known(const acre_pool_options *given, size_t given_size,
	acre_pool_options *options)
{
	const char *bytes = (const char *)given;

	*options = (acre_pool_options){0};
	if (!given)
		return true;
	for (size_t i = sizeof(*options); i < given_size; i++)
		if (bytes[i])
			return false;
	memcpy(options, given, smaller(given_size, sizeof(*options)));
	return true;
}

static size_t
default_chunk_size(const acre_pool_options *options)
{
	size_t page = options->page_size;
	size_t size = CHUNK_PAGES * page;

	if (!page || page > SIZE_MAX / CHUNK_PAGES)
		return 0; /* page_size is wrong, and will be named */
	if (options->source == &acre_huge_allocator && page <= HUGE_CHUNK)
		size = HUGE_CHUNK;
	/* A small limit makes a small chunk. */
	if (options->max_bytes >= page)
		size = smaller(size, options->max_bytes & ~(page - 1));
	return size;
}

static size_t
default_cache_bytes(const acre_pool_options *options)
{
	if (options->page_size > CACHE_BYTES / CACHE_PAGES)
		return CACHE_BYTES;
	return CACHE_PAGES * options->page_size;
}

static void
fill_defaults(acre_pool_options *options)
{
	if (!options->source)
		options->source = &acre_malloc_allocator;
	if (!options->page_size)
		options->page_size = os_page_size();
	if (!options->chunk_size)
		options->chunk_size = default_chunk_size(options);
	if (!options->cache_bytes)
		options->cache_bytes = default_cache_bytes(options);
	if (!options->limbo_bytes)
		options->limbo_bytes = LIMBO_BYTES;
	if (!options->name)
		options->name = "";
}

const char *
options_resolve(const acre_pool_options *given, size_t given_size,
	acre_pool_options *options)
{
	const acre_pool_options *o = options;

	if (!copy_known(given, given_size, options))
		return "options has fields that this version of acre does not "
		       "know, and they are not zero";
	fill_defaults(options);

	const struct {
		bool wrong;
		const char *why;
	} rules[] = {
		{!o->source->allocate || !o->source->free,
			"source has no allocate or no free function"},
		{!is_power_of_two(o->page_size),
			"page_size is not a power of two"},
		{o->page_size < os_page_size(),
			"page_size is smaller than the OS page"},
		{o->chunk_size < o->page_size,
			"chunk_size is smaller than page_size"},
		{o->chunk_size % o->page_size,
			"chunk_size is not a multiple of page_size"},
		{o->chunk_size > PTRDIFF_MAX,
			"chunk_size is more than an object can be"},
		{o->max_bytes && o->max_bytes < o->chunk_size,
			"max_bytes is less than one chunk"},
		{o->flags & ~FLAGS_KNOWN,
			"flags has a flag that this version of acre does not "
			"know"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].wrong)
			return rules[i].why;
	return NULL;
}

const char *
acre_pool_explain_sized(const acre_pool_options *options, size_t options_size)
{
	acre_pool_options resolved;

	return options_resolve(options, options_size, &resolved);
}
