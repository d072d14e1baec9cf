/* SPDX-License-Identifier: MIT */
/*
 * race.c - two accesses of which one writes and one is not atomic, and neither
 * happens before the other: undefined, and a bug.
 *
 * lib/ is compiled with -fsanitize=thread, so that each plain access calls one
 * of these functions; but not linked with ThreadSanitizer. Threads' clocks are
 * memory.c's, so it is C11's happens-before and not what the machine does.
 *
 * Each word has the latest time of each kind of access by each thread, and
 * which of its bytes those have touched so far.
 */
#include "explore/engine.h"

#include <string.h>

#define CELLS 8192 /* a power of two */

enum access { READS, WRITES, ATOMIC_READS, ATOMIC_WRITES, ACCESSES };

struct cell {
	uint32_t execution;
	uintptr_t word;
	moment times[ACCESSES][THREADS_MOST];
	uint8_t bytes[ACCESSES][THREADS_MOST];
};

static struct race {
	uint32_t execution;
	unsigned used;
	struct cell cells[CELLS];
} *race;

/* What an access must come after. */
static const bool conflicts[ACCESSES][ACCESSES] = {
	[READS] = {[WRITES] = true, [ATOMIC_WRITES] = true},
	[WRITES] = {true, true, true, true},
	[ATOMIC_READS] = {[WRITES] = true},
	[ATOMIC_WRITES] = {[READS] = true, [WRITES] = true},
};

void
race_init(void)
{
	race = engine_alloc(sizeof(*race));
}

void
race_reset(void)
{
	race->execution++;
	race->used = 0;
}

static struct cell *
find(uintptr_t word)
{
	size_t i = (word * 0x9e3779b97f4a7c15 >> 40) & (CELLS - 1);
	struct cell *cell = &race->cells[i];

	while (cell->execution == race->execution && cell->word != word) {
		i = (i + 1) & (CELLS - 1);
		cell = &race->cells[i];
	}
	if (cell->execution == race->execution)
		return cell;
	if (++race->used > CELLS / 2)
		engine_limit("more than %d words", CELLS / 2);
	memset(cell, 0, sizeof(*cell));
	cell->execution = race->execution;
	cell->word = word;
	return cell;
}

static void
compare(const struct cell *cell, uint8_t bytes, enum access access,
	enum access other)
{
	static const char *const names[] = {
		"read", "write", "atomic read", "atomic write"};
	const moment *clock = memory_view(engine_thread())->clock;

	for (unsigned t = 0; t < THREADS_MOST; t++)
		if (cell->times[other][t] > clock[t] &&
			cell->bytes[other][t] & bytes)
			explore_fail("a race: %s by thread %u, "
				     "%s by thread %u at %#lx",
				names[other], t, names[access],
				engine_thread(), (unsigned long)cell->word);
}

static void
access_word(uintptr_t word, uint8_t bytes, enum access access)
{
	struct cell *cell = find(word);
	unsigned me = engine_thread();

	for (int other = 0; other < ACCESSES; other++)
		if (conflicts[access][other])
			compare(cell, bytes, access, (enum access)other);
	cell->times[access][me] = memory_view(me)->clock[me];
	cell->bytes[access][me] |= bytes;
}

void
race_access(const volatile void *p, size_t size, bool writes, bool is_atomic)
{
	enum access reads = is_atomic ? ATOMIC_READS : READS;
	enum access access = writes ? reads + 1 : reads;
	uintptr_t from = (uintptr_t)p, to = from + size;

	if (engine_is_private((const void *)p))
		return;
	while (from < to) {
		uintptr_t word = from & ~(uintptr_t)7;
		uintptr_t end = to < word + 8 ? to : word + 8;

		access_word(word, (uint8_t)(((1u << (end - from)) - 1)
			<< (from - word)), access);
		from = end;
	}
}

/* ---- what the compiler calls ---- */

#define HOOK(name, size, writes)                    \
	void name(void *p);                         \
	void name(void *p)                          \
	{                                           \
		race_access(p, size, writes, false); \
	}

HOOK(__tsan_read1, 1, false)
HOOK(__tsan_read2, 2, false)
HOOK(__tsan_read4, 4, false)
HOOK(__tsan_read8, 8, false)
HOOK(__tsan_read16, 16, false)
HOOK(__tsan_write1, 1, true)
HOOK(__tsan_write2, 2, true)
HOOK(__tsan_write4, 4, true)
HOOK(__tsan_write8, 8, true)
HOOK(__tsan_write16, 16, true)
HOOK(__tsan_unaligned_read2, 2, false)
HOOK(__tsan_unaligned_read4, 4, false)
HOOK(__tsan_unaligned_read8, 8, false)
HOOK(__tsan_unaligned_read16, 16, false)
HOOK(__tsan_unaligned_write2, 2, true)
HOOK(__tsan_unaligned_write4, 4, true)
HOOK(__tsan_unaligned_write8, 8, true)
HOOK(__tsan_unaligned_write16, 16, true)

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size);

void
__tsan_init(void)
{
}

void
__tsan_func_entry(void *caller)
{
	(void)caller;
}

void
__tsan_func_exit(void)
{
}

void
__tsan_read_range(void *p, size_t size)
{
	race_access(p, size, false, false);
}

void
__tsan_write_range(void *p, size_t size)
{
	race_access(p, size, true, false);
}

/* clang copies structures by calls of these. */
void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memset(void *to, int value, size_t size);

void *
__tsan_memcpy(void *to, const void *from, size_t size)
{
	race_access(from, size, false, false);
	race_access(to, size, true, false);
	return memcpy(to, from, size);
}

void *
__tsan_memset(void *to, int value, size_t size)
{
	race_access(to, size, true, false);
	return memset(to, value, size);
}
