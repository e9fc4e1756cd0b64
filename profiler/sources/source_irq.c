/* SPDX-License-Identifier: BSD-2-Clause */
/* source_irq.c - the words of the irq and softirq sources: whose handler it was. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profiler/sources/source_rows.h"

/* "36 virtio1-req.0"; an interrupt that several devices share names them all. */
void source_irq_name(uint64_t key, char *text, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], actions[128] = "";

	snprintf(path, sizeof(path), "/sys/kernel/irq/%" PRIu64 "/actions", key);
	f = fopen(path, "re");
	if (f && fgets(actions, sizeof(actions), f))
		actions[strcspn(actions, "\n")] = 0;
	snprintf(text, size, "%" PRIu64 "%s%s", key, actions[0] ? " " : "", actions);
}

/* As /proc/softirqs has them; the numbers are part of what the kernel promises. */
const char *source_softirq_name(uint64_t key)
{
	static const char *const names[] = { "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK",
					     "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU" };

	return key < ARRAY_SIZE(names) ? names[key] : NULL;
}
