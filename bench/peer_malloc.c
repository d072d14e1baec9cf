/* SPDX-License-Identifier: MIT */
/*
 * peer_malloc.c - the C library's malloc, and a free for each object.
 */
#define PEER_NAME "malloc"
#define PEER_MALLOC malloc
#define PEER_FREE free

#include "bench/freeing.h"
