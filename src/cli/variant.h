/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variants: a template booted once at a size, warmed and saved.
 *
 * Theory. See docs/design/0002-templates.md. A sandbox is a clone of the
 * variant of its size; a size not seen before is booted once and kept. What
 * is loaded was verified the moment before (manifest.h); what does not verify
 * is never loaded: it is rebuilt, or refused if rebuilding was forbidden.
 *
 * Invariants.
 *  1. A variant exists once its manifest does, which is written last and by one
 *     rename; a directory without one is removed before a variant is made.
 *  2. Of two launchers that miss the same variant one builds, one waits.
 */
#ifndef CPN_CLI_VARIANT_H
#define CPN_CLI_VARIANT_H

#include <jansson.h>

#include "base/err.h"
#include "base/macros.h"
#include "domain/home.h"
#include "domain/install.h"
#include "domain/sandbox.h"
#include "image/template.h"

struct variant_wish {
	bool no_snapshot; /* BOOT_COLD */
	bool no_rebuild;  /* refuse what does not verify */
	bool is_quiet;
};

/**
 * variant_prepare() - fill in what a sandbox of a template starts from
 * @spec: size, engine and accelerator are set; boot and every path are filled
 *        in here
 *
 * Return: 0; as template_open(), template_verify(); -errno; all with a
 * sentence.
 * Context: blocks; for seconds if a size has to be booted once.
 */
int variant_prepare(const struct home *home, const struct install *install,
		    const char *template_name, const struct variant_wish *wish,
		    struct sandbox_spec *spec, struct err *e) MUST_CHECK;

/**
 * variant_list() - the sizes a template is saved at
 *
 * Return: an owned JSON array of {"size","path"}.
 * Context: blocks briefly.
 */
json_t *variant_list(const struct sandbox_template *t);

#endif
