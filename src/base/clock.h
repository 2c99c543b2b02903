/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, all in nanoseconds. */
#ifndef CPN_BASE_CLOCK_H
#define CPN_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/**
 * clock_boot_ns() - time since boot, sleep included; never jumps
 *
 * Every deadline is in this clock.
 *
 * Return: nanoseconds.
 * Context: any thread.
 */
uint64_t clock_boot_ns(void);

/**
 * clock_wall_ns() - time since the Unix epoch; may jump
 *
 * Return: nanoseconds.
 * Context: any thread.
 */
uint64_t clock_wall_ns(void);

#endif
