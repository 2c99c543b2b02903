/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who this sandbox is: what POST /init brings, and its effects.
 *
 * Theory. A guest cloned from a snapshot wakes with the randomness, clock and
 * names of its template. It serves nothing until the host has sent new ones
 * and every one of them has taken effect.
 *
 * Spec: docs/design/0001-first-sandbox.md
 */
#ifndef CPN_AGENT_IDENTITY_H
#define CPN_AGENT_IDENTITY_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/span.h"

enum {
	IDENTITY_NAME_BYTES = 65,
	IDENTITY_TOKEN_BYTES = 129,
	IDENTITY_ENTROPY_BYTES = 64,
	IDENTITY_MACHINE_ID_DIGITS = 32,
};

struct identity {
	bool is_known; /* of this epoch */
	char id[IDENTITY_NAME_BYTES];
	char template[IDENTITY_NAME_BYTES];
	char hostname[IDENTITY_NAME_BYTES];
	char token[IDENTITY_TOKEN_BYTES];
	char default_user[IDENTITY_NAME_BYTES];
	char default_workdir[PATH_MAX];
	char machine_id[IDENTITY_MACHINE_ID_DIGITS + 1];
	struct timespec wall;
	uint64_t disk_bytes;
	/* The device's size at the last growth; outlives an epoch. */
	uint64_t grown_bytes;
	uint8_t entropy[IDENTITY_ENTROPY_BYTES];
	json_t *env; /* owned: string to string, E2B_SANDBOX… included */
};

/**
 * identity_fini() - forget it all; a zeroed one is allowed
 * Context: any thread.
 */
void identity_fini(struct identity *identity);

/**
 * identity_parse() - read the body of POST /init
 * @body: as sent by the host; every member is checked
 * @ret:  zeroed; filled on success
 * @e:    receives what is wrong
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Context: any thread; allocates.
 */
int identity_parse(struct span body, struct identity *ret,
		   struct err *e) MUST_CHECK;

/**
 * identity_apply() - make the machine the one that @identity describes
 * @e: receives which step failed
 *
 * Entropy, clock, host name, machine id, disk size, marker files: in this
 * order, so that nothing is derived from the old randomness.
 *
 * Return: 0 or -errno.
 * Context: root; blocks for milliseconds, longer if the disk grows.
 */
int identity_apply(struct identity *identity, struct err *e) MUST_CHECK;

/**
 * identity_parse_time() - RFC 3339 in UTC, up to nanoseconds
 * @text: untrusted, e.g. 2026-11-24T10:11:12.123456789Z
 *
 * Return: 0 or -EINVAL.
 * Context: any thread, allocates nothing.
 */
int identity_parse_time(struct span text, struct timespec *ret) MUST_CHECK;

#endif
