/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: what sandboxes are made from.
 *
 * Theory. A template is a manifest (template.json) over its parts: root
 * image, modules, kernel, initramfs, engine. Per size (vCPUs, memory) it has a
 * variant: the same guest booted once, warmed and saved, with a manifest of
 * its own that lists the saved parts and everything that must be equal for
 * the saved state to fit. Nothing is loaded before its manifest and every
 * listed digest were checked.
 */
#ifndef CPN_IMAGE_TEMPLATE_H
#define CPN_IMAGE_TEMPLATE_H

#include "base/err.h"
#include "base/macros.h"
#include "domain/home.h"
#include "domain/install.h"
#include "domain/sandbox.h"
#include "image/manifest.h"
#include "image/recipe.h"

enum { TEMPLATE_FORMAT = 1 };

struct sandbox_template {
	char name[SANDBOX_NAME_BYTES];
	struct home home; /* where it was found: its key is there */
	char dir[PATH_MAX];
	char file[PATH_MAX]; /* template.json */
	struct manifest manifest;
};

/**
 * template_name_is_valid() - whether a text can name a template
 *
 * 1 to 63 of a-z, 0-9 and '-', beginning with a letter.
 *
 * Return: true if so.
 * Context: any thread.
 */
bool template_name_is_valid(const char *name);

/**
 * template_build() - build (or bring up to date) a built-in template
 * @name: a recipe under images/
 * @progress: NULL for none
 *
 * Return: 0; -EINVAL; -ENOENT for an unknown recipe; -ECANCELED; -errno; all
 * with a sentence. An older build of the template stays on failure.
 * Context: blocks, for minutes if nothing is there.
 */
int template_build(const struct home *home, const struct install *install,
		   const char *name, recipe_progress_fn *progress, void *owner,
		   struct err *e) MUST_CHECK;

/**
 * template_open() - find a template and check its manifest
 * @ret: untouched on failure
 *
 * Looks in @home, then, for an ordinary user, in root's state.
 *
 * Return: 0; -EINVAL; -ENOENT if it is not built; -EBADMSG; -errno; all with
 * a sentence.
 * Context: blocks briefly.
 */
int template_open(const struct home *home, const char *name,
		  struct sandbox_template *ret, struct err *e) MUST_CHECK;

/**
 * template_verify() - check every part of a template against its manifest
 * @ret_part: see manifest_verify()
 *
 * Return: as manifest_verify().
 * Context: as manifest_verify().
 */
int template_verify(const struct sandbox_template *t, const char **ret_part,
		    struct err *e) MUST_CHECK;

/**
 * template_fill() - write a template's parts into a sandbox's specification
 * @spec: boot, cpu_model and accel must be set already
 *
 * Return: 0; -EBADMSG if the manifest lacks a part.
 * Context: any thread.
 */
int template_fill(const struct sandbox_template *t,
		  struct sandbox_spec *spec) MUST_CHECK;

/**
 * template_remove() - remove a template and its variants
 *
 * Images, kernels and engines stay: other templates may use them.
 *
 * Return: 0; -EINVAL; -ENOENT; -errno; all with a sentence.
 * Context: blocks briefly.
 */
int template_remove(const struct home *home, const char *name,
		    struct err *e) MUST_CHECK;

#endif
