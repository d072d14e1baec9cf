/* SPDX-License-Identifier: MIT */
/*
 * workload.h - the workloads, compiled around a peer. See peer.h.
 *
 * Included once, at the end of a peer's file. Every object is written at its
 * first 8 bytes and its last, and then shown to the compiler as if to code
 * that it cannot see. So no write is left out, and no cursor stays in a
 * register from one object to the next, as between calls of a real program.
 *
 * Sizes come from a table, in order; a request's are next to each other.
 * This file is C and C++.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peer.h"
#include "bench/ticks.h"

#define BENCH_INLINE static inline __attribute__((always_inline))

/* Opaque code may have read and written whatever p leads to. */
BENCH_INLINE void
bench_show(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* Opaque code may have chosen this number. */
BENCH_INLINE size_t
bench_unknown(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

BENCH_INLINE struct peer_thread *
bench_thread(const struct bench_job *job)
{
	return (struct peer_thread *)job->thread;
}

BENCH_INLINE struct peer_space *
bench_space(const struct bench_job *job, size_t i)
{
	return (struct peer_space *)job->spaces + i;
}

/* The next n sizes of the table. */
BENCH_INLINE const uint16_t *
bench_sizes(struct bench_job *job, size_t n)
{
	const uint16_t *sizes;

	if (job->position + n > SIZES_COUNT)
		job->position = 0;
	sizes = job->sizes + job->position;
	job->position += n;
	return sizes;
}

/* ---- one object, one region ------------------------------------------ */

BENCH_INLINE unsigned char *
bench_put(peer_region region, size_t size, uint64_t value)
{
	unsigned char *object = (unsigned char *)peer_alloc(region, size);

	memcpy(object, &value, sizeof value);
	object[size - 1] = (unsigned char)value;
	bench_show(object);
	return object;
}

BENCH_INLINE void
bench_fill(peer_region region, const uint16_t *sizes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bench_put(region, sizes[i], i);
}

BENCH_INLINE peer_region
bench_open(struct bench_job *job, size_t space)
{
	peer_region region =
		peer_open(bench_thread(job), bench_space(job, space));

	bench_show(region);
	return region;
}

BENCH_INLINE void
bench_close(struct bench_job *job, peer_region region)
{
	peer_close(bench_thread(job), region);
	bench_show(job);
}

/* ---- requests -------------------------------------------------------- */

static void
bench_run_empty(struct bench_job *job, uint64_t requests)
{
	for (uint64_t i = 0; i < requests; i++)
		bench_close(job, bench_open(job, 0));
}

BENCH_INLINE void
bench_run_filled(struct bench_job *job, uint64_t requests, size_t objects)
{
	for (uint64_t i = 0; i < requests; i++) {
		const uint16_t *sizes = bench_sizes(job, objects);
		peer_region region = bench_open(job, 0);

		bench_fill(region, sizes, objects);
		bench_close(job, region);
	}
}

static void
bench_run_tiny(struct bench_job *job, uint64_t requests)
{
	bench_run_filled(job, requests, BENCH_TINY_OBJECTS);
}

static void
bench_run_typical(struct bench_job *job, uint64_t requests)
{
	bench_run_filled(job, requests, BENCH_TYPICAL_OBJECTS);
}

/* As typical, and each request's time, from the last one's end to its own. */
static void
bench_run_p99(struct bench_job *job, uint64_t requests)
{
	uint64_t last = ticks_now();

	for (uint64_t i = 0; i < requests; i++) {
		uint64_t now, time;

		bench_run_filled(job, 1, BENCH_TYPICAL_OBJECTS);
		now = ticks_now();
		time = (now - last) / BENCH_TICKS;
		job->times[time < BENCH_TIMES ? time : BENCH_TIMES - 1]++;
		last = now;
	}
}

static void
bench_run_heavy(struct bench_job *job, uint64_t requests)
{
	const size_t half = BENCH_HEAVY_OBJECTS / 2;

	for (uint64_t i = 0; i < requests; i++) {
		const uint16_t *sizes = bench_sizes(job, 2 * half);
		peer_region region = bench_open(job, 0);

		bench_fill(region, sizes, half);
		bench_put(region, BENCH_LARGE_SIZE, i);
		bench_fill(region, sizes + half, half);
		bench_put(region, BENCH_LARGE_SIZE, i);
		bench_close(job, region);
	}
}

static void
bench_run_long(struct bench_job *job, uint64_t requests)
{
	size_t size = bench_unknown(BENCH_LONG_SIZE);

	for (uint64_t i = 0; i < requests; i++) {
		peer_region region = bench_open(job, 0);

		for (size_t n = 0; n < BENCH_LONG_OBJECTS; n++)
			bench_put(region, size, n);
		bench_close(job, region);
	}
}

/* ---- hand-off: one thread opens and fills, another reads and closes --- */

struct bench_parcel {
	peer_region region;
	const uint16_t *sizes;
	unsigned char *objects[BENCH_TYPICAL_OBJECTS];
};

static struct bench_parcel bench_parcels[QUEUE_SLOTS]
	__attribute__((aligned(128)));

static void
bench_pack(struct bench_job *job, struct bench_parcel *parcel, size_t space)
{
	const uint16_t *sizes = bench_sizes(job, BENCH_TYPICAL_OBJECTS);
	peer_region region = bench_open(job, space);

	for (size_t i = 0; i < BENCH_TYPICAL_OBJECTS; i++)
		parcel->objects[i] = bench_put(region, sizes[i], i);
	parcel->region = region;
	parcel->sizes = sizes;
}

/* All that was written must be there. */
static void
bench_unpack(struct bench_job *job, const struct bench_parcel *parcel)
{
	uint64_t wrong = 0;

	for (size_t i = 0; i < BENCH_TYPICAL_OBJECTS; i++) {
		const unsigned char *object = parcel->objects[i];
		uint64_t value;

		memcpy(&value, object, sizeof value);
		wrong |= value ^ i;
		wrong |= object[parcel->sizes[i] - 1] ^ i;
	}
	bench_close(job, parcel->region);
	if (wrong != 0) {
		fprintf(stderr, "%s: an object was overwritten\n", PEER_NAME);
		abort();
	}
}

static void
bench_run_handoff(struct bench_job *job, uint64_t requests)
{
	for (uint64_t i = 0; i < requests; i++) {
		if (job->produces) {
			unsigned slot = queue_claim(job->queue);

			bench_pack(job, &bench_parcels[slot], slot);
			queue_publish(job->queue);
		} else {
			unsigned slot = queue_take(job->queue);

			bench_unpack(job, &bench_parcels[slot]);
			queue_release(job->queue);
		}
	}
}

/* ---- many regions: two at a time are closed and swap their sizes ------ */

static struct {
	peer_region region;
	size_t target; /* bytes that it shall hold */
	size_t bytes;  /* that it holds */
} bench_open_regions[BENCH_REGIONS_OPEN];

/* Objects of target bytes in all; up to 15 more. */
BENCH_INLINE size_t
bench_fill_to(struct bench_job *job, peer_region region, size_t target)
{
	size_t filled = 0;

	for (size_t n = 0; filled < target && n < BENCH_REGION_OBJECTS; n++) {
		size_t size = *bench_sizes(job, 1);

		if (size > target - filled)
			size = target - filled < 16 ? 16 : target - filled;
		bench_put(region, size, n);
		filled += size;
	}
	return filled;
}

static void
bench_open_one(struct bench_job *job, size_t i, size_t target)
{
	bench_open_regions[i].region = bench_open(job, i);
	bench_open_regions[i].target = target;
	bench_open_regions[i].bytes =
		bench_fill_to(job, bench_open_regions[i].region, target);
	job->live_bytes += bench_open_regions[i].bytes;
}

/* Its target. */
static size_t
bench_close_one(struct bench_job *job, size_t i)
{
	job->live_bytes -= bench_open_regions[i].bytes;
	bench_close(job, bench_open_regions[i].region);
	return bench_open_regions[i].target;
}

static size_t
bench_pick_one(struct bench_job *job)
{
	return sizes_random(&job->random) % BENCH_REGIONS_OPEN;
}

static void
bench_run_regions(struct bench_job *job, uint64_t requests)
{
	if (job->live_bytes == 0)
		for (size_t i = 0; i < BENCH_REGIONS_OPEN; i++)
			bench_open_one(
				job, i, job->targets[i] * BENCH_TARGET_UNIT);
	for (uint64_t n = 0; n < requests; n += 2) {
		size_t a = bench_pick_one(job);
		size_t b =
			(a + 1 + bench_pick_one(job) / 2) % BENCH_REGIONS_OPEN;
		size_t of_a = bench_close_one(job, a);
		size_t of_b = bench_close_one(job, b);

		bench_open_one(job, a, of_b);
		bench_open_one(job, b, of_a);
	}
}

/* ---- the peer, for driver.c ------------------------------------------ */

static int
bench_thread_start(void *thread)
{
	return peer_thread_start((struct peer_thread *)thread);
}

static int
bench_space_start(void *space, size_t bytes, size_t objects)
{
	return peer_space_start((struct peer_space *)space, bytes, objects);
}

static bool
bench_probe(struct bench_job *job, size_t size)
{
	peer_region region = bench_open(job, 0);
	void *object;

	if (!region)
		return false;
	object = peer_alloc(region, bench_unknown(size));
	bench_show(object);
	bench_close(job, region);
	return object != NULL;
}

#define BENCH_IF(able, run) ((able) ? (run) : NULL)

const struct bench_peer bench_peer = {
	PEER_NAME,
	sizeof(struct peer_thread),
	sizeof(struct peer_space),
	peer_start,
	bench_thread_start,
	bench_space_start,
	bench_probe,
	/* In the order of enum bench_workload. */
	{bench_run_empty, bench_run_tiny, bench_run_typical, bench_run_heavy,
		bench_run_long, BENCH_IF(PEER_CROSSES, bench_run_handoff),
		BENCH_IF(PEER_MANY, bench_run_regions), bench_run_p99},
};

#endif
