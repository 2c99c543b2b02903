/* SPDX-License-Identifier: Apache-2.0 */
/* Booting, warming and saving the guest of a variant. */
#ifndef CPN_CLI_VARIANT_MAKE_H
#define CPN_CLI_VARIANT_MAKE_H

#include "base/err.h"
#include "base/macros.h"
#include "domain/home.h"
#include "domain/install.h"
#include "domain/sandbox.h"
#include "image/template.h"

/* Disk of a saved guest; a sandbox's own may be larger. */
enum { VARIANT_DISK_MIB = 4096 };

/**
 * variant_make() - boot a template once and save it
 * @like: the sandbox it is for: engine, accelerator, CPU model and size count
 * @dir:  empty directory that receives `ram`, `state` and `layer.qcow2`
 *
 * Return: 0; -errno with a sentence; @dir is then of no use.
 * Context: blocks for seconds.
 */
int variant_make(const struct home *home, const struct install *install,
		 const struct sandbox_template *t,
		 const struct sandbox_spec *like, const char *dir,
		 struct err *e) MUST_CHECK;

#endif
