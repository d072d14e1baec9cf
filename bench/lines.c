/* SPDX-License-Identifier: MIT */
/*
 * lines.c - a table of lines, by address.
 */
#include "bench/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 64
#define TABLE (1u << 18) /* lines, a power of two */
#define WORDS (LINES_THREADS / 64)

struct set {
	uint64_t bits[WORDS];
};

struct line {
	uintptr_t number; /* 0: unused */
	struct set holders;
	struct set touched; /* since lines_reset */
	uint64_t rmws, failed, transfers;
};

static struct line table[TABLE];
static size_t used;

static bool
set_has(const struct set *set, unsigned i)
{
	return set->bits[i / 64] >> i % 64 & 1;
}

static void
set_add(struct set *set, unsigned i)
{
	set->bits[i / 64] |= (uint64_t)1 << i % 64;
}

static int
set_count(const struct set *set)
{
	int count = 0;

	for (unsigned i = 0; i < WORDS; i++)
		count += __builtin_popcountll(set->bits[i]);
	return count;
}

static struct line *
find(uintptr_t number)
{
	size_t i = (number * 0x9e3779b97f4a7c15u >> 40) & (TABLE - 1);

	while (table[i].number != 0 && table[i].number != number)
		i = (i + 1) & (TABLE - 1);
	if (table[i].number == 0 && ++used > TABLE / 2) {
		fprintf(stderr, "lines: more than %u\n", TABLE / 2);
		exit(1);
	}
	table[i].number = number;
	return &table[i];
}

void
lines_touch(unsigned thread, const volatile void *p, enum access access)
{
	struct line *line = find((uintptr_t)p / LINE_BYTES);
	int holders = set_count(&line->holders);
	bool has_it, moves;

	if (thread == LINES_NOBODY)
		return;
	has_it = set_has(&line->holders, thread);
	moves = holders > 0 && (!has_it ||
		(access != LINES_LOAD && holders > 1));
	line->transfers += moves;
	line->rmws += access == LINES_RMW || access == LINES_FAILED;
	line->failed += access == LINES_FAILED;
	if (access != LINES_LOAD)
		memset(&line->holders, 0, sizeof line->holders);
	set_add(&line->holders, thread);
	set_add(&line->touched, thread);
}

void
lines_forget(void)
{
	memset(table, 0, sizeof table);
	used = 0;
}

void
lines_reset(void)
{
	for (size_t i = 0; i < TABLE; i++) {
		struct line *line = &table[i];

		memset(&line->touched, 0, sizeof line->touched);
		line->rmws = line->failed = line->transfers = 0;
	}
}

static bool
is_shared(const struct line *line)
{
	return line->number != 0 && set_count(&line->touched) > 1;
}

struct lines_sum
lines_sum_up(void)
{
	struct lines_sum sum = {0};

	for (const struct line *line = table; line < table + TABLE; line++) {
		if (!is_shared(line))
			continue;
		sum.rmws += line->rmws;
		sum.failed += line->failed;
		sum.transfers += line->transfers;
		sum.lines += line->transfers > 0;
	}
	return sum;
}

size_t
lines_transfers(double *transfers, size_t most)
{
	size_t n = 0;

	for (const struct line *line = table; line < table + TABLE; line++)
		if (is_shared(line) && line->transfers > 0 && n < most)
			transfers[n++] = (double)line->transfers;
	return n;
}
