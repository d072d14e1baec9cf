/* SPDX-License-Identifier: MIT */
/*
 * array_unchecked.h - element i plus 1, whatever the length is.
 */
#ifndef ACRE_TESTS_ARRAY_UNCHECKED_H
#define ACRE_TESTS_ARRAY_UNCHECKED_H

#include "acre/array.h"

typedef ACRE_ARRAY(int) array_ints;

int array_unchecked_get(array_ints a, size_t i);

#endif
