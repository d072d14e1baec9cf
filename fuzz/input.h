/* SPDX-License-Identifier: MIT */
/*
 * input.h - the string of bytes that decides everything; zeros, where it has
 * ended.
 */
#ifndef ACRE_FUZZ_INPUT_H
#define ACRE_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void input_begin(const uint8_t *data, size_t size);
bool input_left(void);

size_t byte(void);
size_t below(size_t n);

/* 0 to 191 by 8 bytes and a few, beyond that up to half a MiB. */
size_t some_size(void);

/* Mostly the thread that calls: another one takes a switch. */
unsigned some_actor(void);

#endif
