/* SPDX-License-Identifier: Apache-2.0 */
/* The frequency of this host's time stamp counter. */
#ifndef CPN_ENGINE_QEMU_TSC_H
#define CPN_ENGINE_QEMU_TSC_H

/**
 * tsc_khz() - the counter's frequency, measured against the kernel's clock
 *
 * An emulated guest reads the host's counter and has nothing to measure it by,
 * so it is told; a wrong number makes its clock run at the wrong speed.
 *
 * Return: kHz, above zero.
 * Context: blocks for 30 ms.
 */
unsigned tsc_khz(void);

#endif
