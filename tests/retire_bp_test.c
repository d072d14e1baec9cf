/* SPDX-License-Identifier: MIT */
/* retire_bp_test.c - retired regions wait for readers of flavour bp. */
#define URCU_API_MAP
#include <urcu/urcu-bp.h>

#include "tests/retire_flavour_test.h"

SUITE("retire, bp", FLAVOUR_TESTS)
