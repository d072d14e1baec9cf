/* SPDX-License-Identifier: MIT */
/*
 * httpd_options.h - the command line.
 */
#ifndef HTTPD_OPTIONS_H
#define HTTPD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options {
	const char *bind;     /* a numeric address */
	unsigned long port;   /* 0: any free one */
	unsigned long threads;
	unsigned long connections; /* at once; shared out among the threads */
	unsigned long max_body; /* bytes */
	unsigned long max_pool; /* bytes; 0: no limit */
	unsigned long max_server; /* bytes of all requests; 0: no limit */
	unsigned long max_client; /* bytes of a client's; 0: no limit */
	bool regions;         /* else malloc */
};

/*
 * options_read: fill options from the command line, or end the process:
 * with 0 after --help, with 2 after one line and the usage on stderr.
 */
void options_read(struct options *options, int argc, char **argv);

#endif
