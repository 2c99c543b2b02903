/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers from text: whole input, no sign, no space, within a range. */
#ifndef CPN_BASE_NUM_H
#define CPN_BASE_NUM_H

#include <stdint.h>

#include "base/macros.h"
#include "base/span.h"

/**
 * num_parse() - a decimal number that fills the whole text
 * @text: untrusted; digits only
 * @min:  least accepted value
 * @max:  greatest accepted value
 * @ret:  untouched on failure
 *
 * Return: 0; -EINVAL if it is not such a number; -ERANGE if out of range.
 * Context: any thread, allocates nothing.
 */
int num_parse(struct span text, uint64_t min, uint64_t max,
	      uint64_t *ret) MUST_CHECK;

/**
 * num_parse_hex() - like num_parse() for 1 to 16 hexadecimal digits
 *
 * Return: 0; -EINVAL.
 * Context: any thread, allocates nothing.
 */
int num_parse_hex(struct span text, uint64_t *ret) MUST_CHECK;

#endif
