/* SPDX-License-Identifier: MIT */
/* bridge_mimalloc_test.c - mimalloc as an allocator. */
#include <acre/bridge/mimalloc.h>

#define BRIDGE acre_mimalloc_allocator
#define BRIDGE_SIZE(p) mi_usable_size(p)
#include "tests/bridge_test.h"
