/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests: what a template is made of, so that nothing else is ever loaded.
 *
 * Theory. A manifest lists parts (path and digest) and settings (text pairs),
 * and carries a MAC under the home's key. Before an engine starts from a part
 * its digest must be the listed one. Hashing costs more than a restore, so a
 * digest once seen is remembered with a signature of the part's inode, size,
 * mtime and ctime; while the signature stands the digest is not taken again.
 * What is remembered carries a MAC too.
 *
 * An ordinary user who runs root's template cannot read root's key: then the
 * manifest counts if it and its directory belong to root and nobody else may
 * write them, and every digest is still checked.
 *
 * Invariants.
 *  1. manifest_load() never returns a manifest whose MAC (or owner) is wrong.
 *  2. manifest_verify() returns 0 only if every part has its listed digest.
 */
#ifndef CPN_IMAGE_MANIFEST_H
#define CPN_IMAGE_MANIFEST_H

#include "base/err.h"
#include "base/macros.h"
#include "domain/home.h"
#include "image/digest.h"

enum {
	MANIFEST_PARTS_MAX = 12,
	MANIFEST_SETTINGS_MAX = 24,
	MANIFEST_NAME_BYTES = 32,
	MANIFEST_VALUE_BYTES = 256,
};

struct manifest_part {
	char name[MANIFEST_NAME_BYTES];
	char path[PATH_MAX]; /* absolute */
	struct digest digest;
};

struct manifest_setting {
	char name[MANIFEST_NAME_BYTES];
	char value[MANIFEST_VALUE_BYTES];
};

struct manifest {
	struct manifest_part parts[MANIFEST_PARTS_MAX];
	size_t part_count;
	struct manifest_setting settings[MANIFEST_SETTINGS_MAX];
	size_t setting_count;
};

/**
 * manifest_add_part() - list a part; its digest is taken when written
 *
 * Return: 0; -E2BIG; -ENAMETOOLONG.
 * Context: any thread.
 */
int manifest_add_part(struct manifest *m, const char *name,
		      const char *path) MUST_CHECK;

/**
 * manifest_set() - record a setting
 * @fmt: printf format of its value
 *
 * Return: 0; -E2BIG; -ENAMETOOLONG.
 * Context: any thread.
 */
int manifest_set(struct manifest *m, const char *name, const char *fmt, ...)
	PRINTF(3, 4) MUST_CHECK;

/**
 * manifest_get() - a setting's value
 *
 * Return: borrowed from @m, or NULL.
 * Context: any thread.
 */
const char *manifest_get(const struct manifest *m, const char *name);

/**
 * manifest_path() - a part's path
 *
 * Return: borrowed from @m, or NULL.
 * Context: any thread.
 */
const char *manifest_path(const struct manifest *m, const char *name);

/**
 * manifest_write() - take every part's digest, then write the manifest
 * @file: absolute path of the manifest; what was verified is remembered
 *        beside it in <file>.seen
 *
 * Return: 0; -errno with a sentence; an old manifest stays on failure.
 * Context: blocks while it reads every part.
 */
int manifest_write(const struct home *home, struct manifest *m,
		   const char *file, struct err *e) MUST_CHECK;

/**
 * manifest_load() - read a manifest and check its MAC
 * @ret: untouched on failure
 *
 * Return: 0; -ENOENT if there is none; -EBADMSG if it is not what was
 * written; -errno; all with a sentence.
 * Context: blocks briefly.
 */
int manifest_load(const struct home *home, const char *file,
		  struct manifest *ret, struct err *e) MUST_CHECK;

/**
 * manifest_verify() - check every part's digest
 * @file:     as for manifest_load()
 * @ret_part: name of the offending part, borrowed from @m; untouched on
 *            success
 *
 * Return: 0; -EBADMSG if a part is not what was listed; -ENOENT if one is
 * missing; -errno; all with a sentence.
 * Context: blocks: a stat per part if nothing changed, else a read.
 */
int manifest_verify(const struct home *home, const struct manifest *m,
		    const char *file, const char **ret_part,
		    struct err *e) MUST_CHECK;

#endif
