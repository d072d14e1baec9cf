/* SPDX-License-Identifier: MIT */
/*
 * fork.h - what must hold across fork().
 */
#ifndef ACRE_LIB_FORK_H
#define ACRE_LIB_FORK_H

/* Whether the handlers of fork.c are there: 0 or ENOMEM. */
int fork_watch(void);

#endif
