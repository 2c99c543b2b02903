/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes: each tries one forbidden thing from inside a cage.
 *
 * A probe that is killed, or returns a negative errno, was refused. One that
 * returns 0 or more gained something. What the host saw is judged outside.
 */
#ifndef CPN_ESCAPE_PROBES_H
#define CPN_ESCAPE_PROBES_H

#include <stddef.h>

struct probe_row {
	const char *id; /* of the list in docs/escape.md's numbering */
	const char *name;
	int (*fn)(void);
	const char *cages; /* "qemu", "shim" or "both" */
};

/* Descriptors the attacked program holds, set by the runner's side. */
struct probe_fds {
	int base_disk; /* read-only image, or -1 */
	int layer;     /* writable layer, or -1 */
	int wire;      /* a socket, or -1 */
};

extern struct probe_fds probe_fds;
extern const struct probe_row probe_rows[];
extern const size_t probe_count;

#endif
