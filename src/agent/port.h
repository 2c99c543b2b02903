/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-serial port that is the wire. */
#ifndef CPN_AGENT_PORT_H
#define CPN_AGENT_PORT_H

#include "base/macros.h"

/**
 * port_open() - wait for the port named GUEST_WIRE_PORT and open it
 *
 * Return: an owned descriptor; -ENODEV if it does not appear in time; -errno.
 * Context: blocks, bounded.
 */
int port_open(void) MUST_CHECK;

#endif
