/* SPDX-License-Identifier: MIT */
/*
 * httpd_order.c - the server's job: an order comes in, its totals go out.
 *
 *	text --json_parse--> tree --order_read--> order
 *	     --reply_build--> tree --json_print--> text
 *
 * Everything on the way is of the request's memory. The frees are for the
 * malloc side, which has to know of every piece; in a region they do
 * nothing. Money is in whole cents: the largest order that passes the
 * limits below is 2.56e12 cents, which a double (cJSON's number) holds
 * exactly.
 */
#include "httpd_order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "httpd_json.h"
#include "httpd_memory.h"

#define TAX_PERCENT 19
#define CUSTOMER_MAX 80		/* bytes */
#define SKU_MAX 40		/* bytes */
#define LINES_MAX 256
#define QUANTITY_MAX 1000
#define CENTS_MAX 10000000

/* Room for the printed reply: a line's likely length, and all else's. */
#define LINE_TEXT 128
#define HEAD_TEXT 512

struct line {
	const char *sku;
	int64_t quantity;
	int64_t cents;
};

struct order {
	const char *customer;
	struct line *lines;
	size_t count;
};

/* What is wrong with an order, for the client: "where" and what it must be. */
struct problem {
	char text[128];
};

static int
problem_item(struct problem *problem, size_t index, const char *what)
{
	snprintf(problem->text, sizeof(problem->text), "items[%zu]%s", index,
		what);
	return EINVAL;
}

static int
problem_order(struct problem *problem, const char *what)
{
	snprintf(problem->text, sizeof(problem->text), "%s", what);
	return EINVAL;
}

/* ---- reading -------------------------------------------------------- */

/* A whole number from least to most? */
static bool
read_whole(const cJSON *item, int64_t least, int64_t most, int64_t *value)
{
	double number;

	if (!cJSON_IsNumber(item))
		return false;
	number = item->valuedouble;
	/* Also false for NaN, so the conversion is in range. */
	if (!(number >= (double)least && number <= (double)most))
		return false;
	*value = (int64_t)number;
	return (double)*value == number;
}

/* A string of 1 to most bytes? */
static bool
read_string(const cJSON *item, size_t most, const char **value)
{
	size_t length;

	if (!cJSON_IsString(item))
		return false;
	*value = item->valuestring;
	length = strlen(*value);
	return length >= 1 && length <= most;
}

/* Lower-case letters, digits and hyphens: nothing that JSON must escape. */
static bool
is_sku(const char *sku)
{
	return sku[strspn(sku, "abcdefghijklmnopqrstuvwxyz0123456789-")] ==
		'\0';
}

static const cJSON *
member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static int
line_read(const cJSON *item, size_t index, struct line *line,
	struct problem *problem)
{
	if (!cJSON_IsObject(item))
		return problem_item(problem, index, " must be an object");
	if (!read_string(member(item, "sku"), SKU_MAX, &line->sku) ||
		!is_sku(line->sku))
		return problem_item(problem, index,
			".sku must be 1 to 40 of a-z, 0-9 and -");
	if (!read_whole(member(item, "quantity"), 1, QUANTITY_MAX,
		&line->quantity))
		return problem_item(problem, index,
			".quantity must be a whole number from 1 to 1000");
	if (!read_whole(member(item, "cents"), 0, CENTS_MAX, &line->cents))
		return problem_item(problem, index,
			".cents must be a whole number from 0 to 10000000");
	return 0;
}

static int
lines_read(const cJSON *items, struct order *order, struct problem *problem)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, items) {
		int error = line_read(item, order->count,
			&order->lines[order->count], problem);

		if (error != 0)
			return error;
		order->count++;
	}
	return 0;
}

/*
 * Fill order from tree, whose strings it goes on using.
 *
 * Returns EINVAL (problem says why), ENOMEM.
 */
static int
order_read(acre_region *region, const cJSON *tree, struct order *order,
	struct problem *problem)
{
	const cJSON *items = member(tree, "items");
	int count = cJSON_IsArray(items) ? cJSON_GetArraySize(items) : 0;

	if (!cJSON_IsObject(tree))
		return problem_order(problem, "an order must be an object");
	if (!read_string(member(tree, "customer"), CUSTOMER_MAX,
		&order->customer))
		return problem_order(problem,
			"customer must be a string of 1 to 80 bytes");
	if (count < 1 || count > LINES_MAX)
		return problem_order(problem,
			"items must be an array of 1 to 256 items");
	order->lines = memory_zalloc(region,
		(size_t)count * sizeof(order->lines[0]));
	if (order->lines == NULL)
		return ENOMEM;
	return lines_read(items, order, problem);
}

/* ---- replying ------------------------------------------------------- */

/* All of these: false when there was no memory. */

static bool
add_cents(cJSON *object, const char *name, int64_t cents)
{
	return cJSON_AddNumberToObject(object, name, (double)cents) != NULL;
}

static bool
add_line(cJSON *array, const struct line *line)
{
	cJSON *object = cJSON_CreateObject();

	if (object == NULL)
		return false;
	cJSON_AddItemToArray(array, object);
	return cJSON_AddStringToObject(object, "sku", line->sku) != NULL &&
		cJSON_AddNumberToObject(object, "quantity",
			(double)line->quantity) != NULL &&
		add_cents(object, "cents", line->cents) &&
		add_cents(object, "total_cents", line->quantity * line->cents);
}

static bool
add_lines(cJSON *reply, const struct order *order)
{
	cJSON *array = cJSON_AddArrayToObject(reply, "lines");

	if (array == NULL)
		return false;
	for (size_t i = 0; i < order->count; i++) {
		if (!add_line(array, &order->lines[i]))
			return false;
	}
	return true;
}

static bool
add_totals(cJSON *reply, const struct order *order)
{
	int64_t net = 0;
	int64_t tax;

	for (size_t i = 0; i < order->count; i++)
		net += order->lines[i].quantity * order->lines[i].cents;
	tax = (net * TAX_PERCENT + 50) / 100;
	return add_cents(reply, "net_cents", net) &&
		add_cents(reply, "tax_cents", tax) &&
		add_cents(reply, "total_cents", net + tax);
}

static bool
reply_fill(cJSON *reply, const struct order *order)
{
	return cJSON_AddStringToObject(reply, "customer", order->customer) !=
			NULL &&
		add_lines(reply, order) && add_totals(reply, order);
}

/* Returns NULL when there was no memory. */
static char *
reply_text(acre_region *region, const struct order *order)
{
	acre_region *outer = json_enter(region);
	cJSON *reply = cJSON_CreateObject();
	bool filled = reply != NULL && reply_fill(reply, order);
	char *text = NULL;

	json_leave(outer);
	if (filled)
		text = json_print(region, reply,
			HEAD_TEXT + order->count * LINE_TEXT);
	json_delete(region, reply);
	return text;
}

/* ---- answering ------------------------------------------------------ */

/* 400: where the text stopped being JSON, counted as editors do too. */
static void
answer_bad_json(struct answer *answer, acre_region *region, const char *body,
	size_t position)
{
	size_t line = 1;
	size_t start = 0;

	for (size_t i = 0; i < position; i++) {
		if (body[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	answer_json(answer, STATUS_BAD_JSON,
		memory_printf(region,
			"{\"error\":\"bad JSON\",\"position\":%zu,"
			"\"line\":%zu,\"column\":%zu}\n",
			position, line, position - start + 1));
}

static void
answer_tree(struct answer *answer, acre_region *region, const cJSON *tree)
{
	struct order order = {0};
	struct problem problem;
	int error = order_read(region, tree, &order, &problem);

	if (error == 0)
		answer_json(answer, STATUS_OK, reply_text(region, &order));
	else if (error == EINVAL)
		answer_error(answer, region, STATUS_NO_ORDER,
			problem.text);
	else
		answer_exhausted(answer);
	memory_free(region, order.lines);
}

void
order_answer(struct answer *answer, acre_region *region, const char *body,
	size_t length)
{
	size_t stopped = 0;
	cJSON *tree = json_parse(region, body, length, &stopped);

	if (tree != NULL)
		answer_tree(answer, region, tree);
	else if (errno == EINVAL)
		answer_bad_json(answer, region, body, stopped);
	else
		answer_exhausted(answer);
	json_delete(region, tree);
}
