/* SPDX-License-Identifier: MIT */
/* bridge_jemalloc_test.c - jemalloc as an allocator. */
#include <acre/bridge/jemalloc.h>

#define BRIDGE acre_jemalloc_allocator
#define BRIDGE_SIZE(p) ACRE_JEMALLOC(sallocx)((p), 0)
#include "tests/bridge_test.h"
