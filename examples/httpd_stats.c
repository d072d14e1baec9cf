/* SPDX-License-Identifier: MIT */
/*
 * httpd_stats.c - what happened so far, for people and for scripts.
 *
 * All that is shown is gathered in one snapshot first; the JSON page and the
 * totals line print the same fields from it, by one table.
 */
#include "httpd_stats.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include "httpd_memory.h"

/* The counters are single numbers that nobody derives an order from. */

static void
add_one(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static uint64_t
value_of(_Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
counts_begin(struct counts *counts)
{
	add_one(&counts->begun);
}

void
counts_end(struct counts *counts, enum status status, bool sent)
{
	if (!sent)
		add_one(&counts->aborted);
	else if (status == STATUS_OK)
		add_one(&counts->answered);
	else
		add_one(&counts->refused);
	add_one(&counts->ended);
}

void
counts_turn_away(struct counts *counts)
{
	add_one(&counts->turned_away);
}

static uint64_t
microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void
usage_memory(struct usage *usage)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		sscanf(line, "VmRSS: %" SCNu64, &usage->rss_kib);
		sscanf(line, "VmHWM: %" SCNu64, &usage->peak_kib);
	}
	fclose(file);
}

struct usage
usage_now(void)
{
	struct usage usage = {0};
	struct rusage rusage;

	usage_memory(&usage);
	if (getrusage(RUSAGE_SELF, &rusage) == 0) {
		usage.user_us = microseconds(rusage.ru_utime);
		usage.system_us = microseconds(rusage.ru_stime);
	}
	return usage;
}

/* ---- the snapshot --------------------------------------------------- */

struct snapshot {
	uint64_t begun, ended, under_way;
	uint64_t answered, refused, aborted, turned_away;
	struct usage usage;
	/* Of the pool; 0 on malloc. */
	uint64_t opened, closed, open;
	uint64_t pool_bytes, page_bytes, pages_mapped, pages_handed_out;
	uint64_t pages_taken, cache_hits;
	uint64_t charged, tenants;
};

static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
#define FIELD(name, member) {name, offsetof(struct snapshot, member)}
	FIELD("requests_begun", begun),
	FIELD("requests_ended", ended),
	FIELD("requests_open", under_way),
	FIELD("requests_answered", answered),
	FIELD("requests_refused", refused),
	FIELD("requests_aborted", aborted),
	FIELD("requests_turned_away", turned_away),
	FIELD("regions_opened", opened),
	FIELD("regions_closed", closed),
	FIELD("regions_open", open),
	FIELD("pool_bytes", pool_bytes),
	FIELD("page_bytes", page_bytes),
	FIELD("pages_mapped", pages_mapped),
	FIELD("pages_handed_out", pages_handed_out),
	FIELD("pages_taken", pages_taken),
	FIELD("cache_hits", cache_hits),
	FIELD("bytes_charged", charged),
	FIELD("tenants", tenants),
	FIELD("rss_kib", usage.rss_kib),
	FIELD("peak_kib", usage.peak_kib),
	FIELD("user_us", usage.user_us),
	FIELD("system_us", usage.system_us),
#undef FIELD
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static uint64_t
field_value(const struct snapshot *snapshot, const struct field *field)
{
	uint64_t value;

	memcpy(&value, (const char *)snapshot + field->offset, sizeof(value));
	return value;
}

static void
snapshot_pool(struct snapshot *snapshot, acre_pool *pool)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	acre_stats stats;

	acre_pool_stats(pool, &stats);
	snapshot->opened = stats.regions_opened;
	snapshot->closed = stats.regions_closed;
	snapshot->open = stats.regions_open;
	snapshot->pool_bytes = stats.chunk_bytes;
	snapshot->page_bytes = page;
	snapshot->pages_mapped = stats.chunk_bytes / page;
	snapshot->pages_handed_out =
		(stats.chunk_bytes - stats.uncarved_bytes - stats.slack_bytes) /
		page;
	snapshot->pages_taken = stats.pages_taken;
	snapshot->cache_hits = stats.pages_taken - stats.cache_misses;
}

static struct snapshot
snapshot_take(struct counts *counts, acre_pool *pool, struct tenants *tenants,
	const struct usage *usage)
{
	struct snapshot snapshot = {
		.answered = value_of(&counts->answered),
		.refused = value_of(&counts->refused),
		.aborted = value_of(&counts->aborted),
		.turned_away = value_of(&counts->turned_away),
		.begun = value_of(&counts->begun),
		.ended = value_of(&counts->ended),
		.usage = *usage,
	};

	/* Never negative, though the two were not read at one instant. */
	if (snapshot.begun > snapshot.ended)
		snapshot.under_way = snapshot.begun - snapshot.ended;
	if (pool != NULL)
		snapshot_pool(&snapshot, pool);
	if (tenants != NULL) {
		snapshot.charged = tenants_used(tenants);
		snapshot.tenants = tenants_count(tenants);
	}
	return snapshot;
}

static const char *
allocator_name(const acre_pool *pool)
{
	return pool != NULL ? "region" : "malloc";
}

/* ---- printing ------------------------------------------------------- */

/* ,"name":value for every field, NUL-terminated; the buffer is large enough. */
static void
print_fields(const struct snapshot *snapshot, char *buffer, size_t room)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < FIELDS && used < room; i++) {
		int n = snprintf(buffer + used, room - used,
			",\"%s\":%" PRIu64, fields[i].name,
			field_value(snapshot, &fields[i]));

		used += n > 0 ? (size_t)n : 0;
	}
}

void
stats_answer(struct answer *answer, acre_region *region, struct counts *counts,
	acre_pool *pool, struct tenants *tenants)
{
	struct usage usage = usage_now();
	struct snapshot snapshot = snapshot_take(counts, pool, tenants, &usage);
	char text[FIELDS * 48];

	print_fields(&snapshot, text, sizeof(text));
	answer_json(answer, STATUS_OK,
		memory_printf(region, "{\"allocator\":\"%s\"%s}\n",
			allocator_name(pool), text));
}

bool
stats_totals(struct counts *counts, acre_pool *pool, struct tenants *tenants,
	const struct usage *usage)
{
	struct snapshot snapshot = snapshot_take(counts, pool, tenants, usage);

	printf("totals allocator=%s", allocator_name(pool));
	for (size_t i = 0; i < FIELDS; i++)
		printf(" %s=%" PRIu64, fields[i].name,
			field_value(&snapshot, &fields[i]));
	printf("\n");
	/* Now: a sanitizer's check at exit may end us without a flush. */
	fflush(stdout);
	return snapshot.begun == snapshot.ended &&
		snapshot.opened == snapshot.closed && snapshot.open == 0 &&
		snapshot.charged == 0 && snapshot.tenants == 0;
}
