// SPDX-License-Identifier: Apache-2.0
// Error sentences of fixed size.

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->code != 0)
		return code;
	e->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}

const char *err_text(const struct err *e, int code)
{
	const char *name = NULL;

	if (e != NULL && e->code != 0)
		return e->text;
	name = strerrordesc_np(-code);
	return name != NULL ? name : "unknown error";
}
