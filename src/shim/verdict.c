// SPDX-License-Identifier: Apache-2.0
// Why a sandbox ended, as JSON.

#include "shim/verdict.h"

#include <jansson.h>
#include <stdio.h>

void verdict_vset(struct verdict *verdict, enum cause cause, const char *fmt,
		  va_list args)
{
	if (verdict->cause != CAUSE_NONE)
		return;
	verdict->cause = cause;
	(void)vsnprintf(verdict->detail, sizeof(verdict->detail), fmt, args);
	for (char *at = verdict->detail; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
}

void verdict_set(struct verdict *verdict, enum cause cause, const char *fmt,
		 ...)
{
	va_list args;

	va_start(args, fmt);
	verdict_vset(verdict, cause, fmt, args);
	va_end(args);
}

static void drop_json(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

static int put_bytes(const char *bytes, size_t len, void *out)
{
	return buf_put(out, span_of(bytes, len)) < 0 ? -1 : 0;
}

int verdict_put(const struct verdict *verdict, const char *event,
		struct buf *out)
{
	CLEANUP(drop_json) json_t *doc = json_object();

	if (event != NULL &&
	    json_object_set_new(doc, "event", json_string(event)) < 0)
		return -ENOMEM;
	if (json_object_set_new(doc, "cause",
				json_string(cause_name(verdict->cause))) < 0 ||
	    json_object_set_new(doc, "detail", json_string(verdict->detail)) <
		    0)
		return -ENOMEM;
	if (json_dump_callback(doc, put_bytes, out, JSON_COMPACT) < 0)
		return -E2BIG;
	return 0;
}

int verdict_parse(struct span json, struct verdict *ret)
{
	CLEANUP(drop_json)
	json_t *doc = json_loadb((const char *)json.ptr, json.len, 0, NULL);
	const char *name = json_string_value(json_object_get(doc, "cause"));
	const char *detail = json_string_value(json_object_get(doc, "detail"));
	struct verdict verdict = { 0 };
	enum cause cause = CAUSE_NONE;

	if (name == NULL || detail == NULL ||
	    cause_parse(span_str(name), &cause) < 0)
		return -EBADMSG;
	verdict_set(&verdict, cause, "%s", detail);
	*ret = verdict;
	return 0;
}
