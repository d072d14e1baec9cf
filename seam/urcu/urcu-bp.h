/* SPDX-License-Identifier: MIT */
/*
 * urcu-bp.h - stands in for liburcu's; see seam/seam.h. It has what
 * lib/rcu.h uses.
 */
#ifndef ACRE_SEAM_URCU_BP_H
#define ACRE_SEAM_URCU_BP_H

struct rcu_flavor_struct {
	int (*read_ongoing)(void);
	void (*update_synchronize_rcu)(void);
};

extern const struct rcu_flavor_struct urcu_bp_flavor;

void urcu_bp_read_lock(void);
void urcu_bp_read_unlock(void);
int urcu_bp_read_ongoing(void);
void urcu_bp_synchronize_rcu(void);
void urcu_bp_before_fork(void);
void urcu_bp_after_fork_parent(void);
void urcu_bp_after_fork_child(void);

#endif
