/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a sandbox ended, as the shim tells its keeper and the keeper its
 * launcher.
 */
#ifndef CPN_SHIM_VERDICT_H
#define CPN_SHIM_VERDICT_H

#include <stdarg.h>

#include "base/buf.h"
#include "domain/sandbox.h"

/* A message fits into one packet, and a pipe takes it whole, even if every
 * byte of the detail must be escaped. */
enum { VERDICT_DETAIL_BYTES = 1024, VERDICT_MESSAGE_BYTES = 4096 };

struct verdict {
	enum cause cause;		   /* CAUSE_NONE: none yet */
	char detail[VERDICT_DETAIL_BYTES]; /* printable ASCII */
};

/**
 * verdict_set() - name the cause, unless one is named already
 * @fmt: the detail; what is not printable becomes '?'
 *
 * Context: any thread.
 */
void verdict_set(struct verdict *verdict, enum cause cause, const char *fmt,
		 ...) PRINTF(3, 4);

/**
 * verdict_vset() - as verdict_set()
 * Context: any thread.
 */
void verdict_vset(struct verdict *verdict, enum cause cause, const char *fmt,
		  va_list args) PRINTF(3, 0);

/**
 * verdict_put() - append a verdict as JSON
 * @event: value of the member "event", or NULL for none
 *
 * Return: 0; -ENOMEM; -E2BIG.
 * Context: any thread; allocates.
 */
int verdict_put(const struct verdict *verdict, const char *event,
		struct buf *out) MUST_CHECK;

/**
 * verdict_parse() - read what verdict_put() wrote
 * @ret: untouched on failure
 *
 * Return: 0 or -EBADMSG.
 * Context: any thread; allocates.
 */
int verdict_parse(struct span json, struct verdict *ret) MUST_CHECK;

#endif
