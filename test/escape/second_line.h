/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on what stands behind the system-call filter.
 *
 * Theory. In the real cages most attacks die in the filter, which says nothing
 * of the walls behind it: namespaces, root, capabilities, ids, Landlock,
 * limits. Here the same cages stand with a filter that allows everything, and
 * each attack must meet the very refusal that is listed with it. So that an
 * attack proves something, those that harm nothing are also run outside any
 * cage, as the control group, and must win there.
 */
#ifndef CPN_ESCAPE_SECOND_LINE_H
#define CPN_ESCAPE_SECOND_LINE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	REFUSALS_MAX = 4,
	BASE_DISK_BYTES = 4096,
	SECRET_BYTES = 32,
	FILE_MAX_BYTES = 1 << 20,
	PROCESSES_MAX = 32,
	FILES_MAX = 64,
};

/* Numbers of descriptors inside. */
enum { FD_WIRE = 3, FD_TARGETS, FD_BASE, FD_LAYER };

#define IN_CAGE_PROGRAM "/usr/bin/attack"
#define IN_CAGE_SUID "/usr/bin/suid"

/* What lies outside and may not be reached. */
struct targets {
	char canary[PATH_MAX]; /* a file that only the owner reads */
	char unix_path[108];
	char abstract[64]; /* without the leading NUL */
	char key[64];	   /* description of a key */
	char queue[64];	   /* name of a POSIX message queue */
	uint16_t tcp_port;
	int shm_key;
	pid_t victim;		/* a process, in the host's numbers */
	uint64_t victim_secret; /* an address in it */
	uint64_t root_inode;	/* of the file system the cage's root is on */
};

/* Where an attack is run. */
enum where { OUTSIDE, IN_JAIL, IN_SHIM_CAGE };

struct attack {
	const char *id; /* in assurance's list of probes */
	const char *name;
	int (*fn)(const struct targets *t);
	int refusals[REFUSALS_MAX]; /* errno; any of them */
	bool is_harmless;	    /* belongs to the control group */
	bool is_for_jail_only;
};

extern const struct attack attacks[];
extern const size_t attack_count;

#endif
