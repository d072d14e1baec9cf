/* SPDX-License-Identifier: MIT */
/*
 * httpd_answer.c - fills in answers; the one place that turns "no memory"
 * into a reply that needs none.
 */
#include "httpd_answer.h"

#include <string.h>

#include "httpd_memory.h"

static const char json_type[] = "application/json";

void
answer_literal(struct answer *answer, enum status status, const char *type,
	const char *text)
{
	*answer = (struct answer){
		.status = status,
		.type = type,
		.text = text,
		.length = strlen(text),
	};
}

void
answer_json(struct answer *answer, enum status status, char *text)
{
	if (text == NULL) {
		answer_exhausted(answer);
		return;
	}
	answer_literal(answer, status, json_type, text);
	answer->owned = text;
}

void
answer_text(struct answer *answer, const char *type, char *text,
	size_t length)
{
	*answer = (struct answer){
		.status = STATUS_OK,
		.type = type,
		.text = text,
		.length = length,
		.owned = text,
	};
}

void
answer_error(struct answer *answer, acre_region *region,
	enum status status, const char *message)
{
	answer_json(answer, status,
		memory_printf(region, "{\"error\":\"%s\"}\n", message));
}

void
answer_exhausted(struct answer *answer)
{
	answer_literal(answer, STATUS_EXHAUSTED, json_type,
		"{\"error\":\"out of memory\"}\n");
}
