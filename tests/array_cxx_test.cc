/* SPDX-License-Identifier: MIT */
/* array_cxx_test.cc - array.h as strict C++11. */
#include "tests/array_use.h"
