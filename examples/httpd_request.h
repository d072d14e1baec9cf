/* SPDX-License-Identifier: MIT */
/*
 * httpd_request.h - the life of a request: the two calls that libmicrohttpd
 * makes for it, and the one for its connection.
 *
 * All get a struct server as their first argument, and keep the request's
 * struct, or the connection's tenant, in the slot that libmicrohttpd has for
 * it.
 */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H

#include <microhttpd.h>
#include <stddef.h>

#include <acre/acre.h>

#include "httpd_stats.h"
#include "httpd_tenants.h"

struct server {
	acre_pool *pool;      /* NULL: malloc */
	struct tenants *tenants; /* NULL: malloc */
	size_t max_body;      /* bytes; no more than MEMORY_BODY_MAX */
	struct counts counts; /* any thread */
};

/*
 * request_handle: an MHD_AccessHandlerCallback. Opens the request's memory
 * when first called for it, collects the body, answers.
 *
 * Threads: the worker that has the connection.
 */
enum MHD_Result request_handle(void *server,
	struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *size, void **slot);

/*
 * request_completed: an MHD_RequestCompletedCallback. Closes the request's
 * memory, whether the reply was sent or the client left.
 *
 * Threads: the worker that had the connection; or the thread that stops the
 * daemon, after it has joined that worker.
 */
void request_completed(void *server, struct MHD_Connection *connection,
	void **slot, enum MHD_RequestTerminationCode code);

/*
 * request_connection: an MHD_NotifyConnectionCallback. A connection's requests
 * are charged to the budget of its client.
 *
 * Threads: any; for one connection, one after the other.
 */
void request_connection(void *server, struct MHD_Connection *connection,
	void **slot, enum MHD_ConnectionNotificationCode code);

#endif
