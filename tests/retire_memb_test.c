/* SPDX-License-Identifier: MIT */
/* retire_memb_test.c - retired regions wait for readers of flavour memb. */
#define URCU_API_MAP
#include <urcu/urcu-memb.h>

#include "tests/retire_flavour_test.h"

SUITE("retire, memb", FLAVOUR_TESTS)
