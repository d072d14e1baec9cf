/* SPDX-License-Identifier: MIT */
/* array_c11_test.c - array.h as strict C11. */
#include "tests/array_use.h"
