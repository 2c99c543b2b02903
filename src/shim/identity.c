// SPDX-License-Identifier: Apache-2.0
// The identity that a guest gets before it serves anybody: POST /init.

#include "shim/identity.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/rng.h"
#include "wire/base64.h"

enum {
	ENTROPY_BYTES = 64,
	ENTROPY_TEXT_BYTES = 88,
	MACHINE_ID_BYTES = 16,
	S_PER_DAY = 86400,
	DAYS_PER_ERA = 146097, /* 400 years */
};

/* Days since 1970 to a date of the proleptic Gregorian calendar. Years begin
 * in March, so that the leap day is the last of its year. */
void identity_time(uint64_t wall_ns, char ret[IDENTITY_TIME_BYTES])
{
	uint64_t s = wall_ns / NS_PER_S;
	uint64_t day = s / S_PER_DAY + 719468; /* since 0000-03-01 */
	uint64_t of_era = day % DAYS_PER_ERA;
	uint64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 -
				of_era / (DAYS_PER_ERA - 1)) /
			       365;
	uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 -
				     year_of_era / 100);
	uint64_t month = (5 * of_year + 2) / 153; /* 0 is March */
	uint64_t year = year_of_era + day / DAYS_PER_ERA * 400 +
			(month >= 10 ? 1 : 0);

	(void)snprintf(ret, IDENTITY_TIME_BYTES,
		       "%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64 "T%02" PRIu64
		       ":%02" PRIu64 ":%02" PRIu64 ".%09" PRIu64 "Z",
		       year, month < 10 ? month + 3 : month - 9,
		       of_year - (153 * month + 2) / 5 + 1,
		       s % S_PER_DAY / 3600, s / 60 % 60, s % 60,
		       wall_ns % NS_PER_S);
}

static void drop_json(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

static json_t *entropy(void)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(ENTROPY_TEXT_BYTES);
	uint8_t bytes[ENTROPY_BYTES];

	if (rng_fill(bytes, sizeof(bytes)) < 0 ||
	    base64_put(&text, span_of(bytes, sizeof(bytes))) < 0)
		return NULL;
	return json_stringn((const char *)text.ptr, text.len);
}

static json_t *machine_id(void)
{
	char text[2 * MACHINE_ID_BYTES + 1];

	return rng_hex(text, MACHINE_ID_BYTES) < 0 ? NULL : json_string(text);
}

static json_t *now(void)
{
	char text[IDENTITY_TIME_BYTES];

	identity_time(clock_wall_ns(), text);
	return json_string(text);
}

static int put_bytes(const char *bytes, size_t len, void *out)
{
	return buf_put(out, span_of(bytes, len)) < 0 ? -1 : 0;
}

int identity_put(const struct sandbox_spec *spec, struct buf *out)
{
	CLEANUP(drop_json) json_t *doc = json_object();
	const char *env = spec->env_json != NULL ? spec->env_json : "{}";
	struct {
		const char *name;
		json_t *value;
	} members[] = {
		{ "id", json_string(spec->id) },
		{ "template", json_string(spec->template_name) },
		{ "hostname", json_string(spec->hostname) },
		{ "token", json_string(spec->token) },
		{ "entropy", entropy() },
		{ "machineId", machine_id() },
		{ "envVars", json_loads(env, 0, NULL) },
		{ "defaultUser", json_string("user") },
		{ "defaultWorkdir", json_string("/home/user") },
		{ "diskBytes", json_integer((json_int_t)spec->disk_mib << 20) },
		{ "timestamp", now() },
	};
	int r = 0;

	/* Each value is taken over, also by a call that fails. */
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (json_object_set_new(doc, members[i].name,
					members[i].value) < 0)
			r = -ENOMEM;
	}
	if (r == 0 && json_dump_callback(doc, put_bytes, out, JSON_COMPACT) < 0)
		r = -E2BIG;
	return r;
}
