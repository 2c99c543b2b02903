/* SPDX-License-Identifier: Apache-2.0 */
/* The few macros of the code base: attributes, cleanup, early return. */
#ifndef CPN_BASE_MACROS_H
#define CPN_BASE_MACROS_H

#include <errno.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))

/* Runs fn(&variable) when the variable's scope ends. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The one macro that contains `return`: hand a failure to the caller. */
#define TRY(expr)                                                              \
	do {                                                                   \
		int try_r_ = (expr);                                           \
		if (try_r_ < 0)                                                \
			return try_r_;                                         \
	} while (0)

/**
 * neg_errno() - the current errno as a negative number, provably below zero
 *
 * Return: -errno, or -EIO if errno holds no error.
 * Context: any thread.
 */
static inline int neg_errno(void)
{
	return errno > 0 ? -errno : -EIO;
}

#endif
