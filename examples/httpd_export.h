/* SPDX-License-Identifier: MIT */
/*
 * httpd_export.h - GET /export?rows=N: N orders as CSV, of EXPORT_ROW bytes
 * each. Nothing but memory limits it: this is what budgets are for.
 */
#ifndef HTTPD_EXPORT_H
#define HTTPD_EXPORT_H

#include <acre/acre.h>

#include "httpd_answer.h"

#define EXPORT_ROW 32 /* bytes: 1 GiB is 33,554,432 rows */

/*
 * export_answer: rows is the client's text, or NULL: 400 unless it is a
 * number from 1 to 99,999,999; 503 when there is no memory for so many.
 */
void export_answer(struct answer *answer, acre_region *region,
	const char *rows);

#endif
