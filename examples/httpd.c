/* SPDX-License-Identifier: MIT */
/*
 * httpd.c - an HTTP server whose requests live in acre regions.
 *
 *	main thread      options, start, wait for a signal, stop, totals
 *	worker threads   libmicrohttpd's; one epoll each, many connections
 *
 *	httpd.c -> httpd_request.c -> httpd_order.c -> httpd_json.c
 *	                           -> httpd_export.c
 *	                           -> httpd_stats.c -> httpd_tenants.c -> acre
 *	           all of these    -> httpd_answer.c -> httpd_memory.c -> acre
 *
 * With --allocator=malloc the same program uses malloc and free wherever it
 * would use a region. It is a process of its own because cJSON's hooks are
 * the process's.
 *
 * Exit status: 0; 1 when the server could not start, or when at the end a
 * request has kept its memory; 2 for a wrong option.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "httpd_json.h"
#include "httpd_memory.h"
#include "httpd_options.h"
#include "httpd_request.h"

#define IDLE_SECONDS 30u /* After these a silent client is hung up on. */

static void
complain(const char *what)
{
	fprintf(stderr, "httpd: %s: %s\n", what, strerror(errno));
}

/*
 * SIGINT and SIGTERM are waited for, not handled: blocked here before any
 * thread starts, taken by sigwait in main. SIGPIPE would end us whenever a
 * client leaves early.
 */
static void
signals_block(sigset_t *set)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void
signals_wait(const sigset_t *set)
{
	int signal_number;

	sigwait(set, &signal_number);
}

/* The address to listen on; NULL after a complaint. */
static struct addrinfo *
address_find(const struct options *options)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *address = NULL;
	char port[16];
	int error;

	snprintf(port, sizeof(port), "%lu", options->port);
	error = getaddrinfo(options->bind, port, &hints, &address);
	if (error != 0)
		fprintf(stderr, "httpd: %s: %s\n", options->bind,
			gai_strerror(error));
	return address;
}

static struct MHD_Daemon *
daemon_start(struct server *server, const struct options *options,
	const struct addrinfo *address)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD;

	if (address->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, (uint16_t)options->port, NULL, NULL,
		request_handle, server,
		MHD_OPTION_SOCK_ADDR, address->ai_addr,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)options->threads,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->connections,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
		MHD_OPTION_NOTIFY_COMPLETED, request_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, request_connection, server,
		MHD_OPTION_END);
}

/* The line that people click on and scripts read the port from. */
static void
announce(struct MHD_Daemon *daemon, const struct options *options,
	const struct addrinfo *address)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	const int v6 = address->ai_family == AF_INET6;

	printf("listening on http://%s%s%s:%u/ with %lu threads, memory from "
	       "%s\n",
		v6 ? "[" : "", options->bind, v6 ? "]" : "",
		info != NULL ? (unsigned)info->port : 0, options->threads,
		options->regions ? "regions" : "malloc");
	fflush(stdout);
}

/*
 * Serve until a signal comes. *usage is what it cost until then.
 *
 * Returns 0, or -1 after a complaint. After it no worker thread runs, and
 * every request has been completed.
 */
static int
serve(struct server *server, const struct options *options,
	const sigset_t *signals, struct usage *usage)
{
	struct addrinfo *address = address_find(options);
	struct MHD_Daemon *daemon;

	if (address == NULL)
		return -1;
	errno = 0;
	daemon = daemon_start(server, options, address);
	if (daemon != NULL)
		announce(daemon, options, address);
	else
		complain(options->bind);
	freeaddrinfo(address);
	if (daemon == NULL)
		return -1;
	signals_wait(signals);
	*usage = usage_now();
	MHD_stop_daemon(daemon);
	return 0;
}

static int
server_open(struct server *server, const struct options *options)
{
	*server = (struct server){.max_body = options->max_body};
	if (!options->regions)
		return 0;
	server->pool = memory_pool_create(options->max_pool);
	if (server->pool == NULL) {
		complain("pool");
		return -1;
	}
	server->tenants = tenants_open(options->max_server,
		options->max_client);
	if (server->tenants == NULL) {
		complain("budget");
		return -1;
	}
	json_use_regions();
	return 0;
}

/* Returns -1 after a complaint: something was not given back. */
static int
server_close(struct server *server)
{
	int pool_error = acre_pool_destroy(server->pool);
	int budget_error = tenants_close(server->tenants);

	if (pool_error == 0 && budget_error == 0)
		return 0;
	errno = pool_error != 0 ? pool_error : budget_error;
	complain(pool_error != 0 ? "pool" : "budget");
	return -1;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct usage usage;
	struct server server;
	sigset_t signals;
	bool clean;

	options_read(&options, argc, argv);
	signals_block(&signals);
	if (server_open(&server, &options) != 0)
		return EXIT_FAILURE;
	clean = serve(&server, &options, &signals, &usage) == 0;
	if (clean)
		clean = stats_totals(&server.counts, server.pool,
			server.tenants, &usage);
	if (server_close(&server) != 0)
		clean = false;
	return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
