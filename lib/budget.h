/* SPDX-License-Identifier: MIT */
/*
 * budget.h - limits that several regions share.
 */
#ifndef ACRE_LIB_BUDGET_H
#define ACRE_LIB_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "acre/acre.h"

/*
 * Charge size bytes to budget and all its ancestors, or to none: then errno
 * is ENOMEM. Before memory is taken; NULL can be charged anything.
 *
 * Threads:  any.
 * Progress: lock-free, but a charge that is refused waits for those of others
 *           that have not reached the root yet.
 * Ordering: who is charged what another has discharged sees what came before.
 */
bool budget_charge(acre_budget *budget, size_t size);

/* End a charge, or a part of one; after the memory is back. */
void budget_discharge(acre_budget *budget, size_t size);

/* A region begins to use budget; it ends, after its charges. budget may be
 * destroyed then. */
void budget_join(acre_budget *budget);
void budget_leave(acre_budget *budget);

/* Around a fork. */
void budget_before_fork(void);
void budget_after_fork(bool in_child);

#endif
