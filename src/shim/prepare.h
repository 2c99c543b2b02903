/* SPDX-License-Identifier: Apache-2.0 */
/* What the shim does with its launcher's rights, before its cage closes. */
#ifndef CPN_SHIM_PREPARE_H
#define CPN_SHIM_PREPARE_H

#include "shim/shim.h"

/**
 * shim_configure() - take over what the keeper handed down
 * @shim: zeroed; must not move
 *
 * Return: 0; -EINVAL with a sentence.
 * Context: the launcher's rights.
 */
int shim_configure(struct shim *shim, const struct shim_birth *birth,
		   struct err *e) MUST_CHECK;

/**
 * shim_listen() - listen on DIR/api.sock
 *
 * Return: 0; -errno with a sentence.
 * Context: the launcher's rights; changes the working directory.
 */
int shim_listen(struct shim *shim, const struct shim_birth *birth,
		struct err *e) MUST_CHECK;

/**
 * shim_spawn() - start the engine; no guest instruction runs yet
 *
 * Return: 0; -errno with a sentence.
 * Context: the launcher's rights; blocks for milliseconds.
 */
int shim_spawn(struct shim *shim, const struct shim_birth *birth,
	       struct err *e) MUST_CHECK;

#endif
