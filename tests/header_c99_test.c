/* SPDX-License-Identifier: MIT */
#include "tests/header_test.h"
