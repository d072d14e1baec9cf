/* SPDX-License-Identifier: MIT */
/*
 * httpd_answer.h - what the server says to one request.
 *
 * An answer is a status and a text. The text is either for ever (a literal)
 * or of the request's memory; `owned` is then the same pointer, for whoever
 * must give it back to malloc.
 */
#ifndef HTTPD_ANSWER_H
#define HTTPD_ANSWER_H

#include <stddef.h>

#include <acre/acre.h>

enum status {
	STATUS_NONE = 0,        /* not answered yet */
	STATUS_OK = 200,
	STATUS_BAD_JSON = 400,
	STATUS_BAD_QUERY = 400,
	STATUS_NO_SUCH_PATH = 404,
	STATUS_WRONG_METHOD = 405,
	STATUS_TOO_LARGE = 413,
	STATUS_NO_ORDER = 422,
	STATUS_EXHAUSTED = 503
};

struct answer {
	enum status status;
	const char *type;   /* Content-Type */
	const char *text;
	size_t length;      /* of text, in bytes */
	const char *allow;  /* NULL, or the value of an Allow header */
	char *owned;        /* NULL: text is a literal */
};

/*
 * answer_literal: text lives for ever.
 */
void answer_literal(struct answer *answer, enum status status, const char *type,
	const char *text);

/*
 * answer_json: text is of the request's memory; NULL: there was none left,
 * and the answer is answer_exhausted's.
 */
void answer_json(struct answer *answer, enum status status, char *text);

/*
 * answer_text: 200 with a text of the request's memory.
 */
void answer_text(struct answer *answer, const char *type, char *text,
	size_t length);

/*
 * answer_error: {"error":"..."}; message needs no escaping in JSON.
 */
void answer_error(struct answer *answer, acre_region *region,
	enum status status, const char *message);

/*
 * answer_exhausted: 503 and Retry-After, without taking any memory.
 */
void answer_exhausted(struct answer *answer);

#endif
