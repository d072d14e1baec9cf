/* SPDX-License-Identifier: MIT */
/*
 * children.c - a page built of parts, each in a child region.
 *
 *	page --+-- headline
 *	       +-- advert      gets out of hand: dropped alone
 *	       +-- comments
 *
 * A child has a limit and cleanups of its own, and may be closed before its
 * parent. Those that are left close with it.
 */
#include <acre/acre.h>

#include <stdio.h>
#include <stdlib.h>

#define PART_MOST (256 * 1024) /* bytes; no less than a page */

/* ---- what parts need ---- */

/* Connections to a database that are lent to parts. */
static int lent;

static void
give_back(void *connections)
{
	--*(int *)connections;
}

/* Lend a part a connection for as long as it lives. */
static int
lend(acre_region *part)
{
	if (acre_cleanup_add(part, give_back, &lent) != 0)
		return 0;
	return ++lent;
}

/* ---- parts: HTML, or NULL ---- */

static char *
headline(acre_region *part)
{
	return acre_asprintf(part, "<h1>News of %d</h1>", 1984);
}

/* It asks for more and more: only its limit ends this. */
static char *
advert(acre_region *part)
{
	char *text = NULL;

	if (!lend(part))
		return NULL;
	do
		text = acre_asprintf(part, "Buy %s", text ? text : "this");
	while (text);
	return text;
}

static char *
comments(acre_region *part)
{
	static const char *const names[] = {"Ada", "Alan", "Grace"};
	char *text = acre_strdup(part, "<p>");

	if (!lend(part))
		return NULL;
	for (int i = 0; text && i < 3; i++)
		text = acre_asprintf(part, "%s%s: hello. ", text, names[i]);
	return text ? acre_asprintf(part, "%s</p>", text) : NULL;
}

/* ---- the page ---- */

/* Render a part in a child of page; when it fails, drop the child. */
static const char *
build(acre_pool *pool, acre_region *page, char *(*render)(acre_region *))
{
	acre_region_options options = {
		.parent = page,
		.max_bytes = PART_MOST,
	};
	acre_region *part = acre_region_open_with(pool, &options);
	const char *text = part ? render(part) : NULL;

	if (!text)
		acre_region_close(part);
	return text ? text : "<!-- left out -->";
}

static void
say(acre_pool *pool, const char *when)
{
	acre_stats stats;

	acre_pool_stats(pool, &stats);
	printf("%s, regions open: %zu, connections lent: %d\n", when,
		stats.regions_open, lent);
}

int
main(void)
{
	char *(*const parts[])(acre_region *) = {headline, advert, comments};
	acre_pool *pool = acre_pool_create(NULL);
	acre_region *page = pool ? acre_region_open(pool) : NULL;

	if (!page)
		return EXIT_FAILURE;
	for (int i = 0; i < 3; i++)
		puts(build(pool, page, parts[i]));
	say(pool, "page built");
	acre_region_close(page);
	say(pool, "page closed");
	return acre_pool_destroy(pool);
}
