/* SPDX-License-Identifier: MIT */
/*
 * peer_tcmalloc.c - gperftools' tcmalloc (minimal), and a free for each object.
 */
#include <gperftools/tcmalloc.h>

#define PEER_NAME "tcmalloc"
#define PEER_MALLOC tc_malloc
#define PEER_FREE tc_free

#include "bench/freeing.h"
