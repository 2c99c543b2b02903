/* SPDX-License-Identifier: Apache-2.0 */
/* The names by which a guest and the outside know each other's parts. */
#ifndef CPN_DOMAIN_GUEST_H
#define CPN_DOMAIN_GUEST_H

/* Serial numbers of the virtio-blk disks; at most 20 bytes. */
#define GUEST_ROOT_SERIAL "caponier-root"
#define GUEST_MODULES_SERIAL "caponier-modules"

/* The name of the virtio-serial port that is the wire. */
#define GUEST_WIRE_PORT "caponier.wire"

/* Control groups inside the guest. */
#define GUEST_CGROUP_ROOT "/sys/fs/cgroup"
#define GUEST_AGENT_CGROUP GUEST_CGROUP_ROOT "/agent"
#define GUEST_WORKLOAD_CGROUP GUEST_CGROUP_ROOT "/workload"

/* The agent's exit status that asks init to power the guest off. */
enum { GUEST_EXIT_POWER_OFF = 64 };

#endif
