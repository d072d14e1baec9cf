/* SPDX-License-Identifier: MIT */
/*
 * connection.c - a region as long as a connection, rewound at each message.
 *
 *	[ connection | name ][ what a message needs ]
 *	                     ^ mark
 *
 * What must outlive a message is put where the mark was, and the mark behind
 * it. However many messages come, the region stays as large as one needs.
 */
#include <acre/acre.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_MOST (1024 * 1024) /* bytes */

struct connection {
	acre_region *region; /* where all of it is */
	acre_mark mark;
	FILE *in;
	const char *name;
};

/* A connection on a socket, which closes with it. */
static struct connection *
greet(acre_pool *pool, int socket)
{
	acre_region_options options = {.max_bytes = CONNECTION_MOST};
	acre_region *r = acre_region_open_with(pool, &options);
	struct connection *c = r ? acre_new(r, struct connection) : NULL;

	if (!c || !(c->in = fdopen(socket, "r")) ||
		acre_cleanup_add(r, acre_cleanup_fclose, c->in) != 0)
		exit(EXIT_FAILURE);
	c->region = r;
	c->name = "stranger";
	c->mark = acre_region_mark(r);
	return c;
}

/* Keep a name, which is not in the region. All of this message is dropped for
 * it, so that nothing but the name is before the new mark. */
static const char *
learn_name(struct connection *c, const char *name)
{
	char *copy;

	acre_region_rewind(c->region, c->mark);
	copy = acre_asprintf(c->region, "Dr %s", name);
	if (!copy)
		return NULL;
	c->name = copy;
	c->mark = acre_region_mark(c->region);
	return "I see";
}

/* A word count times: as large as the client likes. */
static const char *
repeat(struct connection *c, const char *word, unsigned count)
{
	size_t length = strlen(word);
	size_t room = (size_t)count + 1;
	char *all = acre_zalloc_array(c->region, room, length);

	for (size_t i = 0; all && i < count; i++)
		memcpy(all + i * length, word, length);
	return all ? acre_asprintf(c->region, "%.9s... for %s", all, c->name) :
		     NULL;
}

/* NULL: there is no memory. */
static const char *
answer(struct connection *c, const char *line)
{
	char word[16];
	unsigned count;

	if (strncmp(line, "I am ", 5) == 0)
		return learn_name(c, line + 5);
	if (sscanf(line, "%15s times %u", word, &count) == 2)
		return repeat(c, word, count);
	return acre_asprintf(c->region, "What is %s, %s?", line, c->name);
}

static void
serve(struct connection *c)
{
	size_t held = acre_region_held(c->region);
	char line[80];

	while (fgets(line, sizeof(line), c->in)) {
		const char *text;

		line[strcspn(line, "\n")] = '\0';
		text = answer(c, line);
		dprintf(fileno(c->in), "%s\n", text ? text : "Too much");
		acre_region_rewind(c->region, c->mark);
	}
	dprintf(fileno(c->in), "(memory held as at first: %s)\n",
		acre_region_held(c->region) == held ? "yes" : "no");
}

int
main(void)
{
	static const char said[] = "tea\nI am Ada\nha times 100000\n"
		"ho times 4000000000\nhe times 200000\ncake\n";
	acre_pool *pool = acre_pool_create(NULL);
	struct connection *c;
	int ends[2];
	char heard[80];
	ssize_t size;

	if (!pool || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
		write(ends[0], said, strlen(said)) < 0 ||
		shutdown(ends[0], SHUT_WR) != 0)
		return EXIT_FAILURE;
	c = greet(pool, ends[1]);
	serve(c);
	acre_region_close(c->region);
	while ((size = read(ends[0], heard, sizeof(heard))) > 0)
		fwrite(heard, 1, (size_t)size, stdout);
	close(ends[0]);
	return acre_pool_destroy(pool);
}
