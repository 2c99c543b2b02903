/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 with padding, RFC 4648 section 4. */
#ifndef CPN_WIRE_BASE64_H
#define CPN_WIRE_BASE64_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/span.h"

/**
 * base64_put() - append the encoding of @bytes
 *
 * Return: as buf_put().
 * Context: any thread; may allocate.
 */
int base64_put(struct buf *out, struct span bytes) MUST_CHECK;

/**
 * base64_decode() - append the decoding of @text
 * @text: untrusted; padding may be absent, anything else odd is refused
 *
 * Return: as buf_put(), or -EBADMSG.
 * Context: any thread; may allocate.
 */
int base64_decode(struct span text, struct buf *out) MUST_CHECK;

#endif
