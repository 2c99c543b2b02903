/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading QEMU's machine protocol: one JSON object per line.
 *
 * QEMU is taken as hostile (its guest may own it): lines are bounded, the
 * parser is jansson, and only four shapes are let through.
 *
 * Spec: QEMU docs/interop/qmp-spec.rst
 */
#ifndef CPN_ENGINE_QEMU_QMP_H
#define CPN_ENGINE_QEMU_QMP_H

#include <jansson.h>

#include "base/buf.h"
#include "base/macros.h"

enum { QMP_LINE_MAX_BYTES = 65536 };

enum qmp_type { QMP_GREETING, QMP_RETURN, QMP_ERROR, QMP_EVENT };

struct qmp_message {
	enum qmp_type type;
	json_t *doc;	  /* owned, see qmp_message_fini() */
	const char *name; /* QMP_EVENT: the event; QMP_ERROR: its sentence;
			     borrowed from doc */
	json_t *payload;  /* QMP_RETURN: the value; QMP_EVENT: data or NULL */
};

/**
 * qmp_message_fini() - free a message; zeroed is allowed
 * Context: any thread.
 */
void qmp_message_fini(struct qmp_message *message);

/**
 * qmp_next() - take the next line out of a buffer
 * @in:  received bytes, untrusted, at most QMP_LINE_MAX_BYTES; the line taken
 *       is dropped from its front
 * @ret: the message, owned by the caller; untouched unless 1 is returned
 *
 * Return: 1 with a message; 0 if no whole line is there; -EBADMSG for a line
 * that is no QMP message or too long.
 * Context: any thread; allocates.
 */
int qmp_next(struct buf *in, struct qmp_message *ret) MUST_CHECK;

#endif
