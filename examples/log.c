/* SPDX-License-Identifier: MIT */
/*
 * log.c - arrays in a region: a log line is taken apart and put together.
 *
 *	line -> words -> of these the fields (name=value) -> sorted -> joined
 *
 * Each step makes an array in the line's region. No step has anything to
 * give back, and a step that had no memory shows at the end of the chain.
 */
#include <acre/acre.h>
#include <acre/array.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part of the line, not copied. */
struct word {
	const char *text;
	size_t length;
};

typedef ACRE_ARRAY(struct word) words;
typedef ACRE_ARRAY(char) chars;
typedef ACRE_ARRAY(const char) const_chars; /* views only */

/* Lines of a server; a file in real life. */
static const char *const lines[] = {
	"12:00:01 GET /cart user=ada ms=31 -trace=9f2 bytes=5120 cache=miss",
	"12:00:02 GET /cart bytes=17 cache=hit user=bob user=eve",
	"12:00:03 restarted",
};

static words
split(acre_allocator in, const char *line)
{
	words all = ACRE_ARRAY_IN(in);

	while (*(line += strspn(line, " "))) {
		size_t length = strcspn(line, " ");

		if (acre_array_push(&all, {line, length}) != 0) {
			all.error = ENOMEM;
			break;
		}
		line += length;
	}
	return all;
}

/* name=value; those with a dash are for debugging. */
static int
is_field(const struct word *word)
{
	return word->text[0] != '-' && memchr(word->text, '=', word->length);
}

/* By name alone, so that two of one name stay in order. */
static int
is_before(const struct word *a, const struct word *b)
{
	size_t n = strcspn(a->text, "="), m = strcspn(b->text, "=");
	int order = memcmp(a->text, b->text, n < m ? n : m);

	return order ? order < 0 : n < m;
}

/* A string; NULL: there was no memory on the way. */
static const char *
join(acre_allocator in, words all, const char *between)
{
	chars text = ACRE_ARRAY_IN(in);
	int error = all.error;

	acre_array_each(i, word, all) {
		const_chars gap = acre_array_view(const_chars, between,
			i ? strlen(between) : 0);
		const_chars own = acre_array_view(const_chars, word->text,
			word->length);

		error = error || acre_array_append(&text, gap) ||
			acre_array_append(&text, own);
	}
	error = error || acre_array_push(&text, '\0');
	return error ? NULL : text.data;
}

static const char *
fields_of(acre_region *r, const char *line)
{
	acre_allocator in = acre_region_allocator(r);
	words fields = acre_array_filter(words, in, split(in, line), word,
		is_field(word));

	if (acre_array_sort(&fields, a, b, is_before(a, b)) != 0)
		return NULL;
	return join(in, fields, ", ");
}

int
main(void)
{
	acre_pool *pool = acre_pool_create(NULL);
	const char *text;

	if (!pool)
		return EXIT_FAILURE;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ACRE_SCOPE(r, pool) {
			text = fields_of(r, lines[i]);
			puts(!text ? "no memory" : *text ? text : "nothing");
		}
	return acre_pool_destroy(pool);
}
