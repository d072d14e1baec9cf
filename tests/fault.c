/* SPDX-License-Identifier: MIT */
/*
 * fault.c - acre's calls, led here by the linker: each counts, and may fail.
 */
#include "tests/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

struct fault fault;

void
fault_at(size_t n, enum fault_mode mode)
{
	fault.count = 0;
	fault.outage = false;
	fault.mode = mode;
	fault.left = n;
}

void
fault_never(void)
{
	fault.left = 0;
	fault.outage = false;
}

size_t
fault_count(void)
{
	return fault.count;
}

/* Is this call one that fails? */
static bool
fault_here(void)
{
	size_t left = fault.left;
	bool here = fault.outage;

	while (left && !atomic_compare_exchange_weak(&fault.left, &left,
			left - 1))
		;
	if (left == 1) {
		here = true;
		fault.outage = fault.mode == FAULT_OUTAGE;
	}
	if (here)
		fault.count++;
	return here;
}

/* ---- malloc ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static void *
fault_piece(void *p)
{
	if (p)
		fault.live++;
	return p;
}

/* C does not say what these leave in errno: acre does not rely on it. */
static void *
fault_no_memory(void)
{
	errno = EDOM;
	return NULL;
}

void *
__wrap_malloc(size_t size)
{
	return fault_here() ? fault_no_memory() :
		fault_piece(__real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fault_here() ? fault_no_memory() :
		fault_piece(__real_calloc(n, size));
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fault_here() ? fault_no_memory() :
		fault_piece(__real_aligned_alloc(alignment, size));
}

void *
__wrap_realloc(void *p, size_t size)
{
	void *moved = fault_here() ? fault_no_memory() :
		__real_realloc(p, size);

	return p ? moved : fault_piece(moved);
}

void
__wrap_free(void *p)
{
	if (p)
		fault.live--;
	__real_free(p);
}

/* ---- mappings ---- */

void *__real_mmap(void *p, size_t size, int protection, int flags, int fd,
	off_t offset);
void *__real_mremap(void *p, size_t old_size, size_t new_size, int flags);
int __real_munmap(void *p, size_t size);
int __real_madvise(void *p, size_t size, int advice);
void *__wrap_mmap(void *p, size_t size, int protection, int flags, int fd,
	off_t offset);
void *__wrap_mremap(void *p, size_t old_size, size_t new_size, int flags);
int __wrap_munmap(void *p, size_t size);
int __wrap_madvise(void *p, size_t size, int advice);

static void *
fault_no_mapping(void)
{
	errno = ENOMEM;
	return MAP_FAILED;
}

void *
__wrap_mmap(void *p, size_t size, int protection, int flags, int fd,
	off_t offset)
{
	p = fault_here() ? fault_no_mapping() :
		__real_mmap(p, size, protection, flags, fd, offset);
	if (p != MAP_FAILED)
		fault.mapped += size;
	return p;
}

void *
__wrap_mremap(void *p, size_t old_size, size_t new_size, int flags)
{
	p = fault_here() ? fault_no_mapping() :
		__real_mremap(p, old_size, new_size, flags);
	if (p != MAP_FAILED)
		fault.mapped += new_size - old_size;
	return p;
}

int
__wrap_munmap(void *p, size_t size)
{
	fault.mapped -= size;
	return __real_munmap(p, size);
}

int
__wrap_madvise(void *p, size_t size, int advice)
{
	if (!fault_here())
		return __real_madvise(p, size, advice);
	errno = EAGAIN;
	return -1;
}

/* ---- the kernel ---- */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* Of acre's, membarrier alone comes here, with three arguments. */
long
__wrap_syscall(long number, ...)
{
	va_list arguments;
	int command, flags, cpu;

	va_start(arguments, number);
	command = va_arg(arguments, int);
	flags = va_arg(arguments, int);
	cpu = va_arg(arguments, int);
	va_end(arguments);
	if (!fault_here())
		return __real_syscall(number, command, flags, cpu);
	errno = ENOSYS;
	return -1;
}

/* ---- threads ---- */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*fn)(void *), void *arg);
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*fn)(void *), void *arg)
{
	return fault_here() ? EAGAIN :
		__real_pthread_create(thread, attributes, fn, arg);
}

int
__wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	return fault_here() ? EAGAIN :
		__real_pthread_key_create(key, destructor);
}

int
__wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
	return fault_here() ? ENOMEM :
		__real_pthread_setspecific(key, value);
}
