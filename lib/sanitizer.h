/* SPDX-License-Identifier: MIT */
/*
 * sanitizer.h - the only file that knows about ThreadSanitizer.
 *
 * The hooks are weak: a program built with -fsanitize=thread finds them at
 * run time even when acre itself was built without.
 */
#ifndef ACRE_LIB_SANITIZER_H
#define ACRE_LIB_SANITIZER_H

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

/* What happened before sanitizer_release(address) happens before what
 * follows a later sanitizer_acquire(address). */
static inline void
sanitizer_release(void *address)
{
	if (__tsan_release)
		__tsan_release(address);
}

static inline void
sanitizer_acquire(void *address)
{
	if (__tsan_acquire)
		__tsan_acquire(address);
}

#endif
