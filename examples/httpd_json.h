/* SPDX-License-Identifier: MIT */
/*
 * httpd_json.h - cJSON in a request's memory.
 *
 * cJSON's allocation hooks are global and are told nothing but a size. So
 * every call into cJSON that may allocate stands between json_enter and
 * json_leave, which say for this thread which region is meant:
 *
 *	acre_region *outer = json_enter(region);
 *	tree = cJSON_CreateObject();
 *	...
 *	json_leave(outer);
 */
#ifndef HTTPD_JSON_H
#define HTTPD_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <acre/acre.h>
#include <cjson/cJSON.h>

/*
 * json_use_regions: from now on cJSON allocates from regions. Without this
 * it uses malloc, and every region given to the calls below is NULL.
 *
 * Threads: once, before any other call into cJSON.
 */
void json_use_regions(void);

/*
 * json_enter: make region this thread's; returns the one before, which
 * json_leave puts back.
 */
acre_region *json_enter(acre_region *region);
void json_leave(acre_region *outer);

/*
 * json_parse: read text, which is length bytes and a NUL behind them.
 *
 * Returns NULL and sets errno: EINVAL (not JSON; *stopped is the offset at
 * which the parser gave up), ENOMEM.
 */
cJSON *json_parse(acre_region *region, const char *text, size_t length,
	size_t *stopped);

/*
 * json_print: tree as text without spaces; expected is its likely length.
 *
 * Returns NULL and sets errno: ENOMEM.
 */
char *json_print(acre_region *region, const cJSON *tree, size_t expected);

/*
 * json_delete: give tree back to malloc; nothing in a region, where its
 * nodes go with all else. NULL is fine.
 */
void json_delete(acre_region *region, cJSON *tree);

#endif
