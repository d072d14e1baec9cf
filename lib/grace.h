/* SPDX-License-Identifier: MIT */
/*
 * grace.h - grace periods of the bp flavour, numbered.
 *
 * liburcu 0.13 can wait for a grace period but not say whether one has
 * passed; these numbers can. The sequence is even at rest and odd while a
 * grace period is under way:
 *
 *   seq      4        5        6        7        8
 *            |  rest  | period |  rest  | period |
 *              ^ needs 6  ^ needs 8: period 5-6 may have begun too early
 */
#ifndef ACRE_LIB_GRACE_H
#define ACRE_LIB_GRACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the sequence must reach before something unlinked by this thread is
 * out of every reader's sight.
 *
 * Threads:  any. Ordering: the unlink must be a seq_cst read-modify-write.
 */
uint64_t grace_needed(void);

/*
 * Whether that has passed. If so, all that readers did in sections from
 * before happens before the return.
 */
bool grace_elapsed(uint64_t needed);

/*
 * Let one grace period pass; blocks. Between the two, whatever is unlinked
 * still waits for this period: who was told to need it has come before.
 *
 * Threads: one at a time; the helper, or who stands in for it.
 */
void grace_begin(void);
void grace_end(void);

/* In a fork's child: a period that was under way has not been. */
void grace_cancel(void);

/* The sequence: what grace_elapsed compares with. */
uint64_t grace_sequence(void);

/* Grace periods so far. */
uint64_t grace_count(void);

#endif
