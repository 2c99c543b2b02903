/* SPDX-License-Identifier: Apache-2.0 */
/* What E2B's clients call an EntryInfo: one file in words. */
#ifndef CPN_AGENT_ENTRY_H
#define CPN_AGENT_ENTRY_H

#include <jansson.h>

#include "base/buf.h"
#include "base/macros.h"

/* The texts that turn ids into names; read once for many entries. */
struct entry_names {
	struct buf passwd;
	struct buf group;
};

/**
 * entry_names_load() - read /etc/passwd and /etc/group
 * @ret: filled as far as they can be read
 * Context: blocks; allocates.
 */
void entry_names_load(struct entry_names *ret);

/**
 * entry_names_fini() - free them
 * Context: any thread.
 */
void entry_names_fini(struct entry_names *names);

/**
 * entry_describe() - a file in words
 * @path: absolute
 * @ret:  receives the object for json_decref()
 *
 * Return: 0; -EILSEQ if the name is not UTF-8; -errno.
 * Context: blocks; allocates.
 */
int entry_describe(const char *path, const struct entry_names *names,
		   json_t **ret) MUST_CHECK;

#endif
