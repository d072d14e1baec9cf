/* SPDX-License-Identifier: MIT */
/*
 * hogs.c - clients that want more of httpd than they may have.
 *
 *	hogs PORT CLIENTS REQUESTS ROWS PAUSE_MS
 *
 *	127.0.0.2 --+
 *	127.0.0.3 --+--> GET /export?rows=ROWS, over and over
 *	...       --+
 *
 * Each client has an address of its own, and so a budget of its own. One that
 * gets 503 does not wait as it is told (Retry-After), but for PAUSE_MS only.
 * It ends after so many requests, or with 0 of them at SIGTERM; the last line
 * says what it got, for scripts:
 *
 *	hogs requests=N served=N refused=N polite=N other=N
 *
 * polite are the refusals with a Retry-After.
 *
 * Exit status: 0; 1 when a connection failed; 2 for wrong use.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 200

static unsigned long port, clients, requests, rows, pause_ms;
static atomic_ulong sent, served, refused, polite, other, broken;
static atomic_bool over;

/* ---- one client ---- */

/* A connection from 127.0.0.(n + 2), or -1. */
static int
connect_from(unsigned long n)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)n)};
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int wire = socket(AF_INET, SOCK_STREAM, 0);

	if (wire < 0)
		return -1;
	if (bind(wire, (struct sockaddr *)&from, sizeof(from)) == 0 &&
		connect(wire, (struct sockaddr *)&to, sizeof(to)) == 0)
		return wire;
	close(wire);
	return -1;
}

/* Read a reply and throw its body away. Returns its status, 0: none. */
static int
receive(FILE *wire, bool *retry_after)
{
	char line[1024];
	unsigned long length = 0;
	int status = 0;

	*retry_after = false;
	if (fgets(line, sizeof(line), wire) == NULL ||
		sscanf(line, "HTTP/1.1 %d", &status) != 1)
		return 0;
	while (fgets(line, sizeof(line), wire) != NULL && line[0] != '\r') {
		if (strncasecmp(line, "Retry-After:", 12) == 0)
			*retry_after = true;
		else if (strncasecmp(line, "Content-Length:", 15) == 0)
			length = strtoul(line + 15, NULL, 10);
	}
	while (length > 0) {
		size_t piece = length < sizeof(line) ? length : sizeof(line);

		if (fread(line, 1, piece, wire) != piece)
			return 0;
		length -= piece;
	}
	return status;
}

static void
count(int status, bool retry_after)
{
	if (status == 200)
		served++;
	else if (status == 503)
		refused++;
	else
		other++;
	if (status == 503 && retry_after)
		polite++;
}

static void
pause_a_little(void)
{
	struct timespec time = {
		.tv_sec = (time_t)(pause_ms / 1000),
		.tv_nsec = (long)(pause_ms % 1000) * 1000000,
	};

	nanosleep(&time, NULL);
}

static bool
ask(FILE *wire)
{
	bool retry_after;
	int status;

	sent++;
	if (dprintf(fileno(wire), "GET /export?rows=%lu HTTP/1.1\r\n"
		"Host: hog\r\n\r\n", rows) < 0)
		return false;
	status = receive(wire, &retry_after);
	count(status, retry_after);
	return status != 0;
}

static void *
be_a_hog(void *number)
{
	int socket = connect_from((uintptr_t)number);
	FILE *wire = socket >= 0 ? fdopen(socket, "r") : NULL;
	bool works = wire != NULL;

	for (unsigned long n = 0; works && !over; n++) {
		if (requests != 0 && n == requests)
			break;
		works = ask(wire);
		pause_a_little();
	}
	if (!works)
		broken++;
	if (wire != NULL)
		fclose(wire);
	return NULL;
}

/* ---- all of them ---- */

static void
end(int signal_number)
{
	(void)signal_number;
	over = true;
}

static unsigned long
number(const char *text, unsigned long most)
{
	char *rest;
	unsigned long n = strtoul(text, &rest, 10);

	if (*text < '0' || *text > '9' || *rest != '\0' || n > most) {
		fprintf(stderr, "hogs: %s: a number up to %lu is wanted\n",
			text, most);
		exit(2);
	}
	return n;
}

int
main(int argc, char **argv)
{
	pthread_t threads[CLIENTS_MAX];

	if (argc != 6) {
		fprintf(stderr, "usage: hogs PORT CLIENTS REQUESTS ROWS "
				"PAUSE_MS\n");
		return 2;
	}
	port = number(argv[1], 65535);
	clients = number(argv[2], CLIENTS_MAX);
	requests = number(argv[3], 1000000000);
	rows = number(argv[4], 1000000000);
	pause_ms = number(argv[5], 60000);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, end);
	for (unsigned long i = 0; i < clients; i++) {
		if (pthread_create(&threads[i], NULL, be_a_hog,
			(void *)(uintptr_t)i) != 0) {
			fprintf(stderr, "hogs: no thread\n");
			return 1;
		}
	}
	for (unsigned long i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	printf("hogs requests=%lu served=%lu refused=%lu polite=%lu "
	       "other=%lu\n",
		(unsigned long)sent, (unsigned long)served,
		(unsigned long)refused, (unsigned long)polite,
		(unsigned long)other);
	return broken != 0;
}
