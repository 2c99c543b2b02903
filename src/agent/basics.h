/* SPDX-License-Identifier: Apache-2.0 */
/* The small endpoints: identity, health, environment, metrics, power. */
#ifndef CPN_AGENT_BASICS_H
#define CPN_AGENT_BASICS_H

#include "agent/request.h"

extern const struct handler basics_health;
extern const struct handler basics_init;
extern const struct handler basics_power_off;
extern const struct handler basics_envs;
extern const struct handler basics_metrics; /* metrics.c */

#endif
