/* SPDX-License-Identifier: MIT */
/* array_unchecked.c - the part of array_test.c that has asked for no checks. */
#define ACRE_ARRAY_CHECKED 0
#include "tests/array_unchecked.h"

int
array_unchecked_get(array_ints a, size_t i)
{
	acre_array_set(&a, i, acre_array_get(a, i) + 1);
	return *acre_array_at(&a, i);
}
