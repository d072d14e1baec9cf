/* SPDX-License-Identifier: MIT */
/*
 * replay.c - plays strings of bytes from files, once each.
 *
 *	fuzz/replay FILE-OR-FOLDER...
 *	fuzz/replay --random SEED COUNT     as many strings of no file
 *
 * Under AFL++ this is the program that it runs: with one file.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST = 4096, RANDOM_MOST = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned played;

static void
play_file(const char *path)
{
	static uint8_t bytes[MOST];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		exit(2);
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	played++;
}

static void
play_folder(const char *path, DIR *folder)
{
	struct dirent *entry;

	while ((entry = readdir(folder))) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		play_file(name);
	}
}

static void
play(const char *path)
{
	DIR *folder = opendir(path);

	if (!folder) {
		play_file(path);
		return;
	}
	play_folder(path, folder);
	closedir(folder);
}

/* A string that fails is left in replay.failed. */
static void
play_random(uint64_t seed, unsigned long count)
{
	static uint8_t bytes[RANDOM_MOST];
	uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;

	for (; played < count; played++) {
		FILE *file = fopen("replay.failed", "wb");

		for (size_t i = 0; i < sizeof(bytes); i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			bytes[i] = (uint8_t)(state >> 33);
		}
		if (file) {
			fwrite(bytes, 1, sizeof(bytes), file);
			fclose(file);
		}
		LLVMFuzzerTestOneInput(bytes, sizeof(bytes));
	}
	remove("replay.failed");
}

static unsigned long
number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (*end || end == text) {
		fprintf(stderr, "replay: %s is not a number\n", text);
		exit(2);
	}
	return n;
}

int
main(int argc, char **argv)
{
	bool random = argc == 4 && !strcmp(argv[1], "--random");

	if (!random && (argc < 2 || argv[1][0] == '-')) {
		fprintf(stderr, "usage: %s FILE-OR-FOLDER... | "
				"--random SEED COUNT\n", argv[0]);
		return 2;
	}
	if (random)
		play_random(number(argv[2]), number(argv[3]));
	for (int i = 1; i < argc && !random; i++)
		play(argv[i]);
	printf("%u played\n", played);
	return 0;
}
