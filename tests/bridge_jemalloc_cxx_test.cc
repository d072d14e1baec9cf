/* SPDX-License-Identifier: MIT */
/* bridge_jemalloc_cxx_test.cc - the bridge to jemalloc compiles as C++. */
#include "tests/bridge_jemalloc_test.c"
