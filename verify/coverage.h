/* SPDX-License-Identifier: MIT */
/*
 * coverage.h - the coverage build includes it before everything: a process
 * that ends with _exit or abort writes down what it ran, as others do.
 */
#ifndef ACRE_VERIFY_COVERAGE_H
#define ACRE_VERIFY_COVERAGE_H

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void __gcov_dump(void);
#define _exit(status) \
	({ int code_ = (status); __gcov_dump(); _exit(code_); })
#define syscall(number, ...)                                    \
	((number) == SYS_exit_group ? __gcov_dump() : (void)0,  \
		syscall(number, ##__VA_ARGS__))
#define abort() (__gcov_dump(), abort())

#endif
