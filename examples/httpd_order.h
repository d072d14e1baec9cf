/* SPDX-License-Identifier: MIT */
/*
 * httpd_order.h - the server's job: an order comes in, its totals go out.
 *
 *	{"customer": "Ada",
 *	 "items": [{"sku": "tea-assam", "quantity": 2, "cents": 450}]}
 *
 *	{"customer": "Ada",
 *	 "lines": [{"sku": "tea-assam", "quantity": 2, "cents": 450,
 *	            "total_cents": 900}],
 *	 "net_cents": 900, "tax_cents": 171, "total_cents": 1071}
 */
#ifndef HTTPD_ORDER_H
#define HTTPD_ORDER_H

#include <stddef.h>

#include <acre/acre.h>

#include "httpd_answer.h"

/*
 * order_answer: answer the order in body, length bytes with a NUL behind.
 *
 * 200 and the totals; 400 and the position (not JSON); 422 and what is wrong
 * (JSON, but no order); 503 (no memory left).
 */
void order_answer(struct answer *answer, acre_region *region,
	const char *body, size_t length);

#endif
