/* SPDX-License-Identifier: Apache-2.0 */
/* An error an operator can act on: what was asked, what stood in the way,
 * what to do. Fixed size, no heap. */
#ifndef CPN_BASE_ERR_H
#define CPN_BASE_ERR_H

#include "base/macros.h"

enum { ERR_TEXT_BYTES = 768 };

struct err {
	int code;
	char text[ERR_TEXT_BYTES];
};

/**
 * err_set() - record an error sentence, unless one is recorded already
 * @e:    receives the sentence; NULL is allowed and records nothing
 * @code: negative errno
 * @fmt:  printf format of one sentence in the form
 *        "cannot <what was asked>: <what stood in the way>; <what to do>"
 *
 * The first sentence wins: it is the nearest to the cause.
 *
 * Return: @code, so that callers can write `return err_set(...)`.
 * Context: any thread, allocates nothing.
 */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF(3, 4);

/**
 * err_text() - the sentence, or the plain errno text where none was recorded
 * @e:    may be NULL
 * @code: negative errno used when @e holds nothing
 *
 * Return: a string that lives as long as @e (or for ever).
 * Context: any thread.
 */
const char *err_text(const struct err *e, int code);

#endif
