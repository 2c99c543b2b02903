/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity that a guest gets before it serves anybody: POST /init.
 *
 * Spec: docs/design/0001-first-sandbox.md, "The wire"
 */
#ifndef CPN_SHIM_IDENTITY_H
#define CPN_SHIM_IDENTITY_H

#include <stdint.h>

#include "base/buf.h"
#include "domain/sandbox.h"

/* "2026-11-24T18:42:20.123456789Z" and a NUL, or what the compiler fears. */
enum { IDENTITY_TIME_BYTES = 96 };

/**
 * identity_time() - a time as RFC 3339 with nanoseconds, UTC
 * @wall_ns: since the Unix epoch
 * @ret:     receives a C string
 *
 * Without gmtime(), which opens files.
 * Context: any thread, allocates nothing.
 */
void identity_time(uint64_t wall_ns, char ret[IDENTITY_TIME_BYTES]);

/**
 * identity_put() - append the body of POST /init
 * @spec: whose identity
 *
 * Entropy and machine id are fresh, the time is now: send it at once.
 *
 * Return: 0; -ENOMEM; -E2BIG; -errno of the random generator.
 * Context: any thread; allocates.
 */
int identity_put(const struct sandbox_spec *spec, struct buf *out) MUST_CHECK;

#endif
