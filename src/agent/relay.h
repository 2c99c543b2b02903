/* SPDX-License-Identifier: Apache-2.0 */
/* A stream to the target `tcp:<port>`: bytes to and from a local server. */
#ifndef CPN_AGENT_RELAY_H
#define CPN_AGENT_RELAY_H

#include "agent/agent.h"
#include "base/span.h"

/**
 * relay_serve() - dial 127.0.0.1 and ::1, then relay both ways
 * @port: text behind "tcp:"; untrusted
 *
 * A stream that leads nowhere is reset: refused.
 * Context: on_open of the wire.
 */
void relay_serve(struct agent *agent, uint32_t stream_id, struct span port);

#endif
