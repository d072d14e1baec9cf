/* SPDX-License-Identifier: MIT */
/*
 * options.h - what a pool was asked to be.
 */
#ifndef ACRE_LIB_OPTIONS_H
#define ACRE_LIB_OPTIONS_H

#include "acre/acre.h"

/*
 * Check given (NULL: all defaults; given_size bytes of it, as the caller's
 * header knew the struct) and fill *options with defaults in place of zeros.
 *
 * Returns NULL, or one sentence that says what is wrong.
 */
const char *options_resolve(const acre_pool_options *given, size_t given_size,
	acre_pool_options *options);

#endif
