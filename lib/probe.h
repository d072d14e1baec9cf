/* SPDX-License-Identifier: MIT */
/*
 * probe.h - where a stress build looks in. Nothing in a normal build.
 *
 * ACRE_PROBES            these are the stress program's own, and widen a
 *                        window. probe_pop_window: between reading a
 *                        descriptor's next and the compare-and-swap;
 *                        probe_charge_window: between two levels of budgets.
 * ACRE_PROBE_SKIP_GRACE  descriptors are reused, and retired regions drained,
 *                        at once. These builds are wrong on purpose:
 *                        stress/aba and stress/retire must find it out.
 * ACRE_PROBE_SKIP_MEMBARRIER  idle threads' caches are taken without a
 *                        barrier: wrong too, for stress/idle to find out.
 */
#ifndef ACRE_LIB_PROBE_H
#define ACRE_LIB_PROBE_H

#ifdef ACRE_PROBES
void probe_pop_window(void);
void probe_charge_window(void);
#else
static inline void
probe_pop_window(void)
{
}
static inline void
probe_charge_window(void)
{
}
#endif

#ifdef ACRE_PROBE_SKIP_GRACE
#define PROBE_SKIP_GRACE 1
#else
#define PROBE_SKIP_GRACE 0
#endif

#ifdef ACRE_PROBE_SKIP_MEMBARRIER
#define PROBE_SKIP_MEMBARRIER 1
#else
#define PROBE_SKIP_MEMBARRIER 0
#endif

#endif
