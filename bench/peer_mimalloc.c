/* SPDX-License-Identifier: MIT */
/*
 * peer_mimalloc.c - mimalloc, and a free for each object.
 */
#include <mimalloc.h>

#define PEER_NAME "mimalloc"
#define PEER_MALLOC mi_malloc
#define PEER_FREE mi_free

#include "bench/freeing.h"
