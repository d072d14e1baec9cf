/* SPDX-License-Identifier: MIT */
/*
 * peer_jemalloc.c - jemalloc, and a free for each object. It stands in for the
 * C library's malloc.
 */
#define PEER_NAME "jemalloc"
#define PEER_MALLOC malloc
#define PEER_FREE free

#include "bench/freeing.h"
