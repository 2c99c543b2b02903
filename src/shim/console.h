/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last words of the guest's kernel. Pure.
 */
#ifndef CPN_SHIM_CONSOLE_H
#define CPN_SHIM_CONSOLE_H

#include "base/ring.h"

enum { CONSOLE_BYTES = 16384 };

struct console {
	struct ring ring;
	uint8_t bytes[CONSOLE_BYTES];
};

/**
 * console_init() - nothing heard yet
 * @console: must not move afterwards
 * Context: any thread.
 */
void console_init(struct console *console);

/**
 * console_put() - hear more; the oldest is forgotten
 * @bytes: untrusted
 * Context: any thread.
 */
void console_put(struct console *console, struct span bytes);

/**
 * console_quote() - the last lines, fit to be shown
 * @dst: receives a C string of printable ASCII: other bytes as \xNN, line
 *       ends as " | "
 * @cap: size of @dst, above 0
 *
 * Context: any thread.
 */
void console_quote(const struct console *console, char *dst, size_t cap);

#endif
