/* SPDX-License-Identifier: MIT */
/* bridge_mimalloc_cxx_test.cc - the bridge to mimalloc compiles as C++. */
#include "tests/bridge_mimalloc_test.c"
