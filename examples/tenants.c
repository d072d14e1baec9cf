/* SPDX-License-Identifier: MIT */
/*
 * tenants.c - each tenant of a server has a limit, and the server has one.
 *
 *	server, 1 MiB <-+- acme, 768 KiB     request, request, ...
 *	                +- bolt, 768 KiB     request, request, ...
 *	                +- cask, 768 KiB     request, request, ...
 *
 * A request's region is charged to its tenant's budget. Who wants too much is
 * refused, alone; what it had so far is still there, so that it can say sorry.
 * The sum of the tenants' limits may be more than the server's: they share
 * what is idle, and none can take it all.
 */
#include <acre/acre.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((size_t)1024)

struct tenant {
	const char *name;
	acre_budget *budget;
};

static acre_budget *server;
static struct tenant tenants[] = {{"acme", NULL}, {"bolt", NULL},
	{"cask", NULL}};

enum { TENANTS = sizeof(tenants) / sizeof(tenants[0]) };

/* ---- tenants ---- */

static int
tenants_open(void)
{
	server = acre_budget_create(NULL, 1024 * KIB);
	for (int i = 0; i < TENANTS; i++)
		tenants[i].budget = acre_budget_create(server, 768 * KIB);
	for (int i = 0; i < TENANTS; i++)
		if (!tenants[i].budget)
			return 0;
	return 1;
}

static void
tenants_say(const char *when)
{
	printf("%s: server %zu KiB;", when, acre_budget_used(server) / KIB);
	for (int i = 0; i < TENANTS; i++)
		printf(" %s %zu", tenants[i].name,
			acre_budget_used(tenants[i].budget) / KIB);
	printf("\n");
}

/* ---- requests ---- */

/* Room for a result of so many KiB; the answer is in the region, too. */
static acre_region *
request(acre_pool *pool, const struct tenant *tenant, size_t kib)
{
	acre_region_options options = {.budget = tenant->budget};
	acre_region *region = acre_region_open_with(pool, &options);
	char *result, *answer;

	if (!region) {
		printf("%s: 503, not even a page\n", tenant->name);
		return NULL;
	}
	result = acre_alloc(region, kib * KIB);
	if (result)
		memset(result, 0, kib * KIB);
	answer = acre_asprintf(region, "%s: %s, %zu KiB", tenant->name,
		result ? "200" : "503", kib);
	puts(answer ? answer : "no room even to say so");
	return region;
}

int
main(void)
{
	acre_pool *pool = acre_pool_create(NULL);
	acre_region *open[5];
	int busy;

	if (!pool || !tenants_open())
		return EXIT_FAILURE;
	/* A tenant that wants more than its share, and its neighbour. */
	open[0] = request(pool, &tenants[0], 1024 * 1024);
	open[1] = request(pool, &tenants[1], 256);
	open[2] = request(pool, &tenants[0], 256);
	tenants_say("a hog");
	/* All want much at one time: then the server's limit is reached. */
	open[3] = request(pool, &tenants[2], 256);
	open[4] = request(pool, &tenants[1], 256);
	tenants_say("a rush");
	busy = acre_budget_destroy(tenants[0].budget);
	printf("acme leaves while it has requests: %s\n",
		busy ? "refused" : "done");
	for (int i = 0; i < 5; i++)
		acre_region_close(open[i]);
	tenants_say("all done");
	for (int i = 0; i < TENANTS; i++)
		acre_budget_destroy(tenants[i].budget);
	return acre_budget_destroy(server) || acre_pool_destroy(pool);
}
