/* SPDX-License-Identifier: MIT */
/*
 * library.c - a region as another library's allocator.
 *
 *	brotli --allocate, free, userdata--> acre_region_allocator(r)
 *
 * Libraries that take functions and a pointer (brotli, zstd, protobuf-c,
 * yyjson) take a region's as they are. Then all that the library makes while
 * it serves a request ends with the request: here neither the encoder nor the
 * decoder is ever destroyed.
 */
#include <acre/acre.h>

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t *at; /* NULL: it failed */
	size_t size;
};

static const struct bytes nothing;

static BrotliEncoderState *
make_encoder(acre_region *r)
{
	acre_allocator memory = acre_region_allocator(r);

	return BrotliEncoderCreateInstance(memory.allocate, memory.free,
		memory.userdata);
}

static BrotliDecoderState *
make_decoder(acre_region *r)
{
	acre_allocator memory = acre_region_allocator(r);

	return BrotliDecoderCreateInstance(memory.allocate, memory.free,
		memory.userdata);
}

static struct bytes
compress(acre_region *r, struct bytes plain)
{
	size_t room = BrotliEncoderMaxCompressedSize(plain.size), size = 0;
	struct bytes packed = {acre_alloc(r, room), 0};
	BrotliEncoderState *encoder = make_encoder(r);
	const uint8_t *from = plain.at;
	uint8_t *to = packed.at;

	if (!packed.at || !encoder ||
		!BrotliEncoderSetParameter(encoder, BROTLI_PARAM_QUALITY, 5) ||
		!BrotliEncoderCompressStream(encoder, BROTLI_OPERATION_FINISH,
			&plain.size, &from, &room, &to, &size))
		return nothing;
	packed.size = size;
	return packed;
}

/* The text that packed was, which has no more than most bytes. */
static struct bytes
decompress(acre_region *r, struct bytes packed, size_t most)
{
	struct bytes plain = {acre_alloc(r, most), 0};
	BrotliDecoderState *decoder = make_decoder(r);
	const uint8_t *from = packed.at;
	uint8_t *to = plain.at;

	if (!plain.at || !decoder ||
		BrotliDecoderDecompressStream(decoder, &packed.size, &from,
			&most, &to, &plain.size) !=
				BROTLI_DECODER_RESULT_SUCCESS)
		return nothing;
	return plain;
}

/* A text of many lines. */
static struct bytes
compose(acre_region *r)
{
	static const char line[] = "All of a request goes at once.\n";
	struct bytes text = {acre_alloc(r, 1000 * strlen(line)), 0};

	while (text.at && text.size < 1000 * strlen(line)) {
		memcpy(text.at + text.size, line, strlen(line));
		text.size += strlen(line);
	}
	return text;
}

static int
serve(acre_pool *pool)
{
	ACRE_SCOPE(r, pool) {
		struct bytes plain = compose(r);
		struct bytes packed = compress(r, plain);
		struct bytes again = decompress(r, packed, plain.size);

		if (acre_region_failed(r) || !packed.at || !again.at)
			break;
		printf("text: %zu bytes\n", plain.size);
		printf("packed into less than a tenth: %s\n",
			packed.size < plain.size / 10 ? "yes" : "no");
		printf("brotli's memory is the region's: %s\n",
			acre_region_used(r) > 10 * plain.size ? "yes" : "no");
		printf("unpacked, the same: %s\n", again.size == plain.size &&
			!memcmp(again.at, plain.at, plain.size) ? "yes" : "no");
		return 1;
	}
	return 0;
}

int
main(void)
{
	acre_pool *pool = acre_pool_create(NULL);
	acre_stats stats;

	if (!pool || !serve(pool))
		return EXIT_FAILURE;
	acre_pool_stats(pool, &stats);
	printf("still in regions: %zu bytes\n",
		stats.region_bytes + stats.large_bytes);
	return acre_pool_destroy(pool);
}
