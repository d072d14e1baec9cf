/* SPDX-License-Identifier: MIT */
/* membarrier.c - see membarrier.h. */
#include "lib/membarrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/probe.h"

static bool
call(int command)
{
	return !syscall(SYS_membarrier, command, 0, 0);
}

void
membarrier_register(void)
{
	call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

bool
membarrier_all(void)
{
	return PROBE_SKIP_MEMBARRIER ||
		call(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}
