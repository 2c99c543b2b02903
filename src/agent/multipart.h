/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart/form-data, taken apart as it streams by.
 *
 * Theory. Pure, like the parsers of src/wire. The delimiter CRLF "--" boundary
 * holds its only CR in front, so a failed match can only begin anew at another
 * CR: no table is needed, and what had matched is given out of the delimiter
 * itself. Memory is fixed: one part's headers.
 *
 * Spec: RFC 2046 5.1.1, RFC 7578
 * Proof: test/fuzz/fuzz_multipart.c, test/unit/agent/test_multipart.c
 */
#ifndef CPN_AGENT_MULTIPART_H
#define CPN_AGENT_MULTIPART_H

#include <limits.h>
#include <stddef.h>

#include "base/macros.h"
#include "base/span.h"

enum {
	MULTIPART_BOUNDARY_MAX_BYTES = 70, /* RFC 2046 */
	MULTIPART_HEAD_MAX_BYTES = 8192,
	MULTIPART_NAME_BYTES = 64,
};

enum multipart_event {
	MULTIPART_PART,	 /* a part begins: its name and filename */
	MULTIPART_BYTES, /* a piece of it */
	MULTIPART_END,	 /* it is complete */
};

struct multipart {
	int state; /* private */
	char delimiter[MULTIPART_BOUNDARY_MAX_BYTES + 5];
	size_t delimiter_len;
	size_t matched; /* bytes of the delimiter seen, not yet given out */
	char head[MULTIPART_HEAD_MAX_BYTES];
	size_t head_len;
	/* of the present part */
	char name[MULTIPART_NAME_BYTES];
	char filename[PATH_MAX];
	bool is_complete; /* the last delimiter was seen */
};

/**
 * multipart_init() - begin with the boundary that a Content-Type names
 * @type: untrusted value of the header
 *
 * Return: 0; -EINVAL if it is not multipart/form-data with a boundary.
 * Context: any thread, allocates nothing.
 */
int multipart_init(struct multipart *m, struct span type) MUST_CHECK;

/**
 * multipart_next() - take input up to the next event
 * @in:        untrusted; consumed bytes are cut off its front
 * @ret_event: what happened
 * @ret_bytes: MULTIPART_BYTES: a view into @in or @m, not empty
 *
 * Return: 1 with an event; 0 if more input is needed; -EBADMSG for broken
 * framing or a file name holding a NUL; -E2BIG for a part's headers past the
 * maximum.
 * Context: any thread, allocates nothing.
 */
int multipart_next(struct multipart *m, struct span *in,
		   enum multipart_event *ret_event,
		   struct span *ret_bytes) MUST_CHECK;

#endif
