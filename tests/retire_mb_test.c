/* SPDX-License-Identifier: MIT */
/* retire_mb_test.c - retired regions wait for readers of flavour mb. */
#define URCU_API_MAP
#include <urcu/urcu-mb.h>

#include "tests/retire_flavour_test.h"

SUITE("retire, mb", FLAVOUR_TESTS)
