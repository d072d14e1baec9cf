/* SPDX-License-Identifier: MIT */
/*
 * httpd_export.c - a reply as large as the client wants it.
 *
 * All memory is asked for before a row is written: what will not fit is
 * refused at once, and has cost nobody anything.
 */
#include "httpd_export.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "httpd_memory.h"

#define ROWS_MAX 99999999ul

/* 0: it is no number of rows. */
static unsigned long
rows_read(const char *text)
{
	char *end = NULL;
	unsigned long rows;

	if (text == NULL || !isdigit((unsigned char)text[0]))
		return 0;
	rows = strtoul(text, &end, 10);
	return *end == '\0' && rows <= ROWS_MAX ? rows : 0;
}

void
export_answer(struct answer *answer, acre_region *region, const char *text)
{
	unsigned long rows = rows_read(text);
	char *csv;

	if (rows == 0) {
		answer_error(answer, region, STATUS_BAD_QUERY,
			"rows must be a number from 1 to 99999999");
		return;
	}
	csv = memory_alloc(region, rows * EXPORT_ROW + 1);
	if (csv == NULL) {
		answer_exhausted(answer);
		return;
	}
	for (unsigned long i = 0; i < rows; i++)
		snprintf(csv + i * EXPORT_ROW, EXPORT_ROW + 1,
			"%08lu,tea-assam,%04lu,%07lu\n", i + 1, i % 12 + 1,
			i % 9973 + 50);
	answer_text(answer, "text/csv", csv, rows * EXPORT_ROW);
}
