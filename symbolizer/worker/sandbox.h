/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h - takes from this process what one that reads hostile bytes does not need.
 */
#ifndef WICK_SANDBOX_H
#define WICK_SANDBOX_H

#include <stdint.h>

/*
 * For a process of one thread that was just forked and has work to do by the descriptors it
 * holds and will be sent. From then on it is nobody, has no capability, cannot gain any, shares no
 * memory, opens no file, starts no process, makes no executable memory, leaves no core file, and
 * dies with its parent. Calls that it does not need are refused, not fatal. It may take @more_bytes
 * of memory beyond what it has. Returns 0 or a negative errno; then it has lost some of that, and
 * is of no use.
 */
int sandbox_enter(uint64_t more_bytes);

#endif
