/* SPDX-License-Identifier: MIT */
/*
 * request.c - a region for each request.
 *
 *	worker thread    next request -> open -> parse -> answer -> close
 *	                      ^                                       |
 *	                      +------- the same pages again ----------+
 *
 * Whatever a request makes on its way is in its region: nothing is freed one
 * by one, and no way out, however early, leaks. Requests are heads of HTTP's.
 */
#include <acre/acre.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS 4

struct header {
	struct header *next;
	const char *name, *value;
};

struct request {
	const char *path;
	struct header *headers;
};

/* What comes in and what goes out; sockets in real life. */
static const char *const in[REQUESTS] = {
	"GET /Hello HTTP/1.1\r\nFrom: Ada\r\nHost: acre\r\n\r\n",
	"GET /Goodbye HTTP/1.1\r\nHost: acre\r\n\r\n",
	"GET /Hello HTTP/1.1\r\nHost: acre\r\nFro",
	"Hello?\r\n",
};
static char out[REQUESTS][40];

/* Cut the text up to mark off, and drop the mark; NULL: there is no mark. */
static char *
cut(char **rest, const char *mark)
{
	char *text = *rest, *end = strstr(text, mark);

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + strlen(mark);
	return text;
}

/* NULL: it is not HTTP, or there is no memory. */
static struct request *
parse(acre_region *r, const char *text)
{
	struct request *request = acre_new(r, struct request);
	char *rest = acre_strdup(r, text), *method, *name;

	if (!request || !rest || !(method = cut(&rest, " /")) ||
		strcmp(method, "GET") != 0 ||
		!(request->path = cut(&rest, " HTTP/1.1\r\n")))
		return NULL;
	while ((name = cut(&rest, ": "))) {
		struct header *header = acre_new(r, struct header);

		if (!header || !(header->value = cut(&rest, "\r\n")))
			return NULL;
		header->name = name;
		header->next = request->headers;
		request->headers = header;
	}
	return strcmp(rest, "\r\n") == 0 ? request : NULL;
}

static const char *
answer(acre_region *r, const struct request *request)
{
	const struct header *header = request ? request->headers : NULL;

	if (!request)
		return "400 Bad Request";
	while (header && strcmp(header->name, "From") != 0)
		header = header->next;
	return acre_asprintf(r, "200 %s, %s", request->path,
		header ? header->value : "stranger");
}

/* break, like any way out, closes the region. Behind the block: there was no
 * memory, for the region or in it. */
static void
serve(acre_pool *pool, size_t number)
{
	ACRE_SCOPE(r, pool) {
		const char *text = answer(r, parse(r, in[number]));

		if (acre_region_failed(r))
			break;
		snprintf(out[number], sizeof(out[number]), "%s", text);
		return;
	}
	strcpy(out[number], "503 Service Unavailable");
}

static void *
work(void *pool)
{
	static atomic_size_t next;
	size_t mine;

	while ((mine = atomic_fetch_add(&next, 1)) < REQUESTS)
		serve(pool, mine);
	return NULL;
}

int
main(void)
{
	acre_pool *pool = acre_pool_create(NULL);
	pthread_t workers[2];

	for (int i = 0; i < 2; i++)
		if (!pool || pthread_create(&workers[i], NULL, work, pool))
			return EXIT_FAILURE;
	for (int i = 0; i < 2; i++)
		pthread_join(workers[i], NULL);
	for (int i = 0; i < REQUESTS; i++)
		puts(out[i]);
	return acre_pool_destroy(pool);
}
