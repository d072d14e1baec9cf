/* SPDX-License-Identifier: MIT */
/*
 * fork.h - what must hold across fork().
 */
#ifndef ACRE_LIB_FORK_H
#define ACRE_LIB_FORK_H

/* See to it that the handlers of fork.c are there. Returns 0 or ENOMEM. */
int fork_watch(void);

#endif
