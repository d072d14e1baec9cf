/* SPDX-License-Identifier: MIT */
/*
 * httpd_options.c - the command line.
 *
 * One table says every option's name, limits and help; the parser, the
 * checks and the usage are made from it.
 */
#include "httpd_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "httpd_memory.h"

#define THREADS_MAX 64

static const struct choice {
	const char *name;
	const char *value;  /* for the usage; NULL: the option takes none */
	size_t number;      /* offset in struct options, of numbers only */
	unsigned long least;
	unsigned long most; /* 0: not a number */
	const char *help;
} choices[] = {
#define NUMBER(member) offsetof(struct options, member)
	{"port", "N", NUMBER(port), 0, 65535,
		"TCP port, 0 for any free one (default 8080)"},
	{"bind", "ADDRESS", 0, 0, 0,
		"numeric address to listen on (default 127.0.0.1)"},
	{"threads", "N", NUMBER(threads), 1, THREADS_MAX,
		"worker threads (default: one for each processor)"},
	{"connections", "N", NUMBER(connections), 1, 10000,
		"most at once, an equal share for each thread (default 512)"},
	{"allocator", "NAME", 0, 0, 0,
		"region (default), or malloc to compare with"},
	{"max-body", "BYTES", NUMBER(max_body), 1, MEMORY_BODY_MAX,
		"largest body that is accepted (default 32768)"},
	{"max-pool", "BYTES", NUMBER(max_pool), 0, 1UL << 40,
		"most memory of the pool (default 0, no limit)"},
	{"max-server", "BYTES", NUMBER(max_server), 0, 1UL << 40,
		"most memory of all requests (default 128 MiB; 0: no limit)"},
	{"max-client", "BYTES", NUMBER(max_client), 0, 1UL << 40,
		"most memory of one client's (default 16 MiB; 0: no limit)"},
	{"help", NULL, 0, 0, 0, "print this and exit"},
#undef NUMBER
};

#define CHOICES (sizeof(choices) / sizeof(choices[0]))

static void
print_usage(FILE *file)
{
	fprintf(file, "usage: httpd [option]...\n");
	for (size_t i = 0; i < CHOICES; i++) {
		const struct choice *choice = &choices[i];
		int width = fprintf(file, "  --%s%s%s", choice->name,
			choice->value ? " " : "",
			choice->value ? choice->value : "");

		fprintf(file, "%*s%s\n", width < 24 ? 24 - width : 1, "",
			choice->help);
	}
}

static void
refuse(const char *what, const char *value, const char *why)
{
	fprintf(stderr, "httpd: %s%s%s\n", what, value, why);
	print_usage(stderr);
	exit(2);
}

static void
read_number(struct options *options, const struct choice *choice,
	const char *text)
{
	char why[96];
	char *end = NULL;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	/* strtoul takes "-1" and " 1"; we do not. */
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 ||
		number < choice->least || number > choice->most) {
		snprintf(why, sizeof(why), ": --%s is from %lu to %lu",
			choice->name, choice->least, choice->most);
		refuse("", text, why);
	}
	memcpy((char *)options + choice->number, &number, sizeof(number));
}

static void
read_allocator(struct options *options, const char *text)
{
	options->regions = strcmp(text, "region") == 0;
	if (!options->regions && strcmp(text, "malloc") != 0)
		refuse("", text, ": --allocator is region or malloc");
}

static void
read_choice(struct options *options, const struct choice *choice,
	const char *text)
{
	if (choice->most != 0) {
		read_number(options, choice, text);
	} else if (strcmp(choice->name, "allocator") == 0) {
		read_allocator(options, text);
	} else if (strcmp(choice->name, "bind") == 0) {
		options->bind = text;
	} else {
		print_usage(stdout);
		exit(0);
	}
}

static unsigned long
processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n < THREADS_MAX ? (unsigned long)n : THREADS_MAX;
}

void
options_read(struct options *options, int argc, char **argv)
{
	struct option table[CHOICES + 1] = {0};
	int index = 0;
	int c;

	*options = (struct options){
		.bind = "127.0.0.1",
		.port = 8080,
		.threads = processors(),
		.connections = 512,
		.max_body = 32768,
		.max_server = 128UL * 1024 * 1024,
		.max_client = 16UL * 1024 * 1024,
		.regions = true,
	};
	for (size_t i = 0; i < CHOICES; i++) {
		table[i].name = choices[i].name;
		table[i].has_arg = choices[i].value != NULL
			? required_argument
			: no_argument;
	}
	opterr = 0; /* One line, and it is ours. */
	while ((c = getopt_long_only(argc, argv, ":", table, &index)) == 0)
		read_choice(options, &choices[index], optarg);
	if (c == ':')
		refuse(argv[optind - 1], "", " needs a value");
	if (c != -1)
		refuse(argv[optind - 1], "", ": no such option");
	if (optind < argc)
		refuse(argv[optind], "", ": not an option");
}
