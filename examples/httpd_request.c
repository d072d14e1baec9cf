/* SPDX-License-Identifier: MIT */
/*
 * httpd_request.c - the life of a request.
 *
 *	first call      request_begin     the region opens
 *	body calls      request_collect   the body is gathered in it
 *	last call       request_answer    the answer is built in it and queued
 *	completed       request_completed the region closes
 *
 * The request's own struct is the region's first object. "Completed" comes
 * for every request whose first call came, also when the client left in the
 * middle: that is what makes opened == closed hold.
 *
 * A request that will be refused (no such path, body too large) still has
 * its body read, up to DRAIN_MAX bytes, and thrown away: a server that
 * closes a socket with unread data resets the connection, and the client
 * may never see the answer.
 */
#include "httpd_request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "httpd_export.h"
#include "httpd_memory.h"
#include "httpd_order.h"
#include "httpd_page.h"

#define RETRY_SECONDS "1"
#define BODY_ROOM 4096			/* a first guess, in bytes */
#define DRAIN_MAX ((size_t)1024 * 1024)	/* bytes */

struct request {
	acre_region *region;       /* NULL: malloc */
	struct server *server;
	const struct route *route; /* NULL: no such path */
	const char *rows;          /* of the query, or NULL */
	bool method_fits;
	char *body;                /* NUL-terminated once it is complete */
	size_t announced;          /* bytes of body to come; 0: unknown */
	size_t length;             /* of body, in bytes */
	size_t room;
	size_t received;           /* bytes, thrown away ones too */
	struct answer answer;
};

/* ---- routes --------------------------------------------------------- */

static void
answer_page(struct request *request)
{
	answer_literal(&request->answer, STATUS_OK,
		"text/html; charset=utf-8", httpd_page);
}

static void
answer_stats(struct request *request)
{
	stats_answer(&request->answer, request->region,
		&request->server->counts, request->server->pool,
		request->server->tenants);
}

static void
answer_export(struct request *request)
{
	export_answer(&request->answer, request->region, request->rows);
}

static void
answer_order(struct request *request)
{
	const char *body = request->body != NULL ? request->body : "";

	order_answer(&request->answer, request->region, body,
		request->length);
}

static const struct route {
	const char *path;
	const char *allow; /* the methods, as the Allow header lists them */
	bool takes_body;
	void (*answer)(struct request *request);
} routes[] = {
	{"/", "GET, HEAD", false, answer_page},
	{"/stats", "GET, HEAD", false, answer_stats},
	{"/order", "POST", true, answer_order},
	{"/export", "GET, HEAD", false, answer_export},
};

static const struct route *
route_find(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	}
	return NULL;
}

/* Is method one of the route's? HEAD is GET whose body nobody sends. */
static bool
route_allows(const struct route *route, const char *method)
{
	if (route->takes_body)
		return strcmp(method, MHD_HTTP_METHOD_POST) == 0;
	return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
		strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* ---- sending -------------------------------------------------------- */

/* The headers that some answers have and others do not. */
static enum MHD_Result
answer_add_headers(struct MHD_Response *response, const struct answer *answer)
{
	if (answer->allow != NULL &&
		MHD_add_response_header(response, "Allow", answer->allow) ==
			MHD_NO)
		return MHD_NO;
	if (answer->status == STATUS_EXHAUSTED)
		return MHD_add_response_header(response, "Retry-After",
			RETRY_SECONDS);
	return MHD_YES;
}

static enum MHD_Result
answer_send(struct MHD_Connection *connection, const struct answer *answer)
{
	enum MHD_Result result = MHD_NO;
	/* Persistent for libmicrohttpd: it goes when the request does. */
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->length, (void *)(uintptr_t)answer->text,
		MHD_RESPMEM_PERSISTENT);

	if (response == NULL)
		return MHD_NO;
	if (MHD_add_response_header(response, "Content-Type", answer->type) &&
		MHD_add_response_header(response, "Cache-Control",
			"no-store") &&
		answer_add_headers(response, answer))
		result = MHD_queue_response(connection,
			(unsigned)answer->status, response);
	MHD_destroy_response(response);
	return result;
}

/* ---- the first call ------------------------------------------------- */

/* A region that is charged to the connection's tenant. */
static acre_region *
region_open(struct server *server, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	acre_region_options options = {
		.budget = tenant_budget(server->tenants,
			info != NULL ? info->socket_context : NULL),
	};

	return acre_region_open_with(server->pool, &options);
}

/* The request's struct, in its own memory; NULL: there is none. */
static struct request *
request_open(struct server *server, struct MHD_Connection *connection)
{
	acre_region *region = NULL;
	struct request *request;

	if (server->pool != NULL) {
		region = region_open(server, connection);
		if (region == NULL)
			return NULL;
	}
	request = memory_zalloc(region, sizeof(*request));
	if (request == NULL) {
		acre_region_close(region);
		return NULL;
	}
	request->region = region;
	request->server = server;
	counts_begin(&server->counts);
	return request;
}

static enum MHD_Result
turn_away(struct server *server, struct MHD_Connection *connection)
{
	struct answer answer;

	counts_turn_away(&server->counts);
	answer_exhausted(&answer);
	return answer_send(connection, &answer);
}

static const char *
header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* What the client says it will send; 0 when it does not say. */
static size_t
announced_length(struct MHD_Connection *connection)
{
	const char *value = header(connection, "Content-Length");

	return value != NULL ? strtoul(value, NULL, 10) : 0;
}

/*
 * Fill in the refusal that received bytes of body, or as many as announced,
 * already earn; leave the answer alone when there is none.
 */
static void
request_refuse(struct request *request, size_t received)
{
	struct answer *answer = &request->answer;

	if (request->route == NULL) {
		answer_error(answer, request->region, STATUS_NO_SUCH_PATH,
			"no such path");
	} else if (!request->method_fits) {
		answer_error(answer, request->region, STATUS_WRONG_METHOD,
			"wrong method");
		answer->allow = request->route->allow;
	} else if (received > request->server->max_body) {
		answer_json(answer, STATUS_TOO_LARGE,
			memory_printf(request->region,
				"{\"error\":\"body too large\","
				"\"limit\":%zu}\n",
				request->server->max_body));
	}
}

/*
 * Refuse before the body comes, if the client waits for our word or sends
 * more than we care to throw away.
 */
static enum MHD_Result
request_begin(struct server *server, struct MHD_Connection *connection,
	const char *url, const char *method, void **slot)
{
	struct request *request = request_open(server, connection);

	if (request == NULL)
		return turn_away(server, connection);
	*slot = request;
	request->route = route_find(url);
	request->method_fits = request->route != NULL &&
		route_allows(request->route, method);
	request->rows = MHD_lookup_connection_value(connection,
		MHD_GET_ARGUMENT_KIND, "rows");
	request->announced = announced_length(connection);
	if (header(connection, "Expect") == NULL &&
		request->announced <= DRAIN_MAX)
		return MHD_YES;
	request_refuse(request, request->announced);
	if (request->answer.status == STATUS_NONE)
		return MHD_YES;
	return answer_send(connection, &request->answer);
}

/* ---- the body ------------------------------------------------------- */

/* Room for size bytes, no more than max_body, and a NUL; false: no memory. */
static bool
body_reserve(struct request *request, size_t size)
{
	size_t most = request->server->max_body + 1;
	size_t room = request->room;
	char *body;

	if (size < room)
		return true;
	if (room == 0)
		room = request->announced != 0 ? request->announced + 1
					       : BODY_ROOM;
	while (room <= size)
		room *= 2;
	if (room > most)
		room = most;
	body = memory_grow(request->region, request->body, request->room,
		room);
	if (body == NULL)
		return false;
	request->body = body;
	request->room = room;
	return true;
}

static bool
body_append(struct request *request, const char *data, size_t size)
{
	if (!body_reserve(request, request->length + size))
		return false;
	memcpy(request->body + request->length, data, size);
	request->length += size;
	request->body[request->length] = '\0';
	return true;
}

/* Nothing is kept of a body that will be refused. */
static enum MHD_Result
request_collect(struct request *request, const char *data, size_t size)
{
	bool wanted;

	request->received += size;
	if (request->received > request->server->max_body + DRAIN_MAX)
		return MHD_NO; /* Hang up. */
	wanted = request->method_fits && request->route->takes_body &&
		request->received <= request->server->max_body &&
		request->answer.status == STATUS_NONE;
	if (wanted && !body_append(request, data, size))
		answer_exhausted(&request->answer);
	return MHD_YES;
}

/* ---- the last call -------------------------------------------------- */

static enum MHD_Result
request_answer(struct request *request, struct MHD_Connection *connection)
{
	struct answer *answer = &request->answer;

	if (answer->status == STATUS_NONE)
		request_refuse(request, request->received);
	if (answer->status == STATUS_NONE)
		request->route->answer(request);
	return answer_send(connection, answer);
}

enum MHD_Result
request_handle(void *server, struct MHD_Connection *connection,
	const char *url, const char *method, const char *version,
	const char *data, size_t *size, void **slot)
{
	struct request *request = *slot;
	enum MHD_Result result;

	(void)version;
	if (request == NULL)
		return request_begin(server, connection, url, method, slot);
	if (*size == 0)
		return request_answer(request, connection);
	result = request_collect(request, data, *size);
	*size = 0;
	return result;
}

/* ---- the end -------------------------------------------------------- */

/* Where a region has one call, malloc has every piece. */
static void
request_close(struct request *request)
{
	if (request->region != NULL) {
		acre_region_close(request->region);
		return;
	}
	free(request->answer.owned);
	free(request->body);
	free(request);
}

void
request_completed(void *server, struct MHD_Connection *connection, void **slot,
	enum MHD_RequestTerminationCode code)
{
	struct counts *counts = &((struct server *)server)->counts;
	struct request *request = *slot;
	enum status status;

	(void)connection;
	if (request == NULL)
		return; /* It was turned away before it had memory. */
	*slot = NULL;
	status = request->answer.status;
	request_close(request);
	counts_end(counts, status, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

void
request_connection(void *server, struct MHD_Connection *connection, void **slot,
	enum MHD_ConnectionNotificationCode code)
{
	struct tenants *tenants = ((struct server *)server)->tenants;
	const union MHD_ConnectionInfo *info;

	if (tenants == NULL)
		return;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		tenant_leave(tenants, *slot);
		return;
	}
	info = MHD_get_connection_info(connection,
		MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*slot = tenant_join(tenants, info != NULL ? info->client_addr : NULL);
}
