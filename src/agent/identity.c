// SPDX-License-Identifier: Apache-2.0
// Who this sandbox is: what POST /init brings.

#include "agent/identity.h"

#include <string.h>

#include "base/num.h"
#include "wire/base64.h"

void identity_fini(struct identity *identity)
{
	json_decref(identity->env);
	/* The token and the entropy do not stay behind. */
	explicit_bzero(identity, sizeof(*identity));
}

/* One number of a time: exactly @digits digits, then @end (or nothing). */
static int take_number(struct span *text, size_t digits, uint8_t end,
		       uint64_t max, int *ret)
{
	uint64_t n = 0;

	if (text->len < digits + (end != '\0' ? 1 : 0))
		return -EINVAL;
	if (num_parse(span_to(*text, digits), 0, max, &n) < 0)
		return -EINVAL;
	*text = span_from(*text, digits);
	if (end != '\0' && text->ptr[0] != (uint8_t)end)
		return -EINVAL;
	*text = span_from(*text, end != '\0' ? 1 : 0);
	*ret = (int)n;
	return 0;
}

/* ".123456789", one to nine digits, or nothing. */
static int take_fraction(struct span *text, long *ret_ns)
{
	long ns = 0;
	long unit = 100000000;

	*ret_ns = 0;
	if (text->len == 0 || text->ptr[0] != '.')
		return 0;
	*text = span_from(*text, 1);
	if (text->len == 0 || text->ptr[0] < '0' || text->ptr[0] > '9')
		return -EINVAL;
	while (text->len != 0 && text->ptr[0] >= '0' && text->ptr[0] <= '9') {
		ns += unit * (text->ptr[0] - '0');
		unit /= 10; /* digits past the ninth count nothing */
		*text = span_from(*text, 1);
	}
	*ret_ns = ns;
	return 0;
}

int identity_parse_time(struct span text, struct timespec *ret)
{
	struct tm t = { 0 };
	long ns = 0;
	time_t seconds = 0;

	TRY(take_number(&text, 4, '-', 9999, &t.tm_year));
	TRY(take_number(&text, 2, '-', 12, &t.tm_mon));
	TRY(take_number(&text, 2, 'T', 31, &t.tm_mday));
	TRY(take_number(&text, 2, ':', 23, &t.tm_hour));
	TRY(take_number(&text, 2, ':', 59, &t.tm_min));
	TRY(take_number(&text, 2, '\0', 60, &t.tm_sec));
	TRY(take_fraction(&text, &ns));
	if (!span_is(text, "Z") && !span_is(text, "+00:00"))
		return -EINVAL;
	if (t.tm_year < 1970 || t.tm_mon < 1 || t.tm_mday < 1)
		return -EINVAL;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	seconds = timegm(&t);
	if (seconds < 0)
		return -EINVAL;
	*ret = (struct timespec){ .tv_sec = seconds, .tv_nsec = ns };
	return 0;
}

static int bad(struct err *e, const char *member)
{
	return err_set(e, -EINVAL,
		       "cannot take the identity: \"%s\" is missing or wrong; "
		       "send what docs/design/0001 lists",
		       member);
}

struct text_member {
	const char *name;
	size_t offset;
	size_t cap;
};

#define TEXT(json_name, field)                                                 \
	{ json_name, offsetof(struct identity, field),                         \
	  sizeof(((struct identity *)NULL)->field) }

static const struct text_member texts[] = {
	TEXT("id", id),
	TEXT("template", template),
	TEXT("hostname", hostname),
	TEXT("token", token),
	TEXT("defaultUser", default_user),
	TEXT("defaultWorkdir", default_workdir),
	TEXT("machineId", machine_id),
};

static int read_texts(const json_t *body, struct identity *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const json_t *value = json_object_get(body, texts[i].name);
		const char *text = json_string_value(value);
		char *to = (char *)ret + texts[i].offset;

		if (text == NULL || text[0] == '\0' ||
		    span_copy_str(span_str(text), to, texts[i].cap) < 0)
			return bad(e, texts[i].name);
	}
	return 0;
}

static bool is_hostname(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
		       strlen(name) &&
	       name[0] != '-' && strlen(name) < 64;
}

static bool is_machine_id(const char *id)
{
	return strlen(id) == IDENTITY_MACHINE_ID_DIGITS &&
	       strspn(id, "0123456789abcdef") == IDENTITY_MACHINE_ID_DIGITS;
}

static int read_entropy(const json_t *body, struct identity *ret, struct err *e)
{
	CLEANUP(buf_fini)
	struct buf entropy = BUF_EMPTY(IDENTITY_ENTROPY_BYTES);
	const char *text = json_string_value(json_object_get(body, "entropy"));

	if (text == NULL || base64_decode(span_str(text), &entropy) < 0 ||
	    entropy.len != IDENTITY_ENTROPY_BYTES)
		return bad(e, "entropy");
	memcpy(ret->entropy, entropy.ptr, IDENTITY_ENTROPY_BYTES);
	explicit_bzero(entropy.ptr, entropy.len);
	return 0;
}

static int set_text(json_t *object, const char *key, const char *value)
{
	return json_object_set_new(object, key, json_string(value)) < 0 ?
		       -ENOMEM :
		       0;
}

/* What every process sees; the caller's variables win. */
static int read_env(const json_t *body, struct identity *ret, struct err *e)
{
	json_t *given = json_object_get(body, "envVars");
	const char *name = NULL;
	json_t *value = NULL;

	ret->env = json_object();
	if (ret->env == NULL)
		return -ENOMEM;
	TRY(set_text(ret->env, "E2B_SANDBOX", "true"));
	TRY(set_text(ret->env, "E2B_SANDBOX_ID", ret->id));
	TRY(set_text(ret->env, "E2B_TEMPLATE_ID", ret->template));
	if (given == NULL || json_is_null(given))
		return 0;
	if (!json_is_object(given))
		return bad(e, "envVars");
	json_object_foreach(given, name, value) {
		if (name[0] == '\0' || strchr(name, '=') != NULL ||
		    !json_is_string(value))
			return bad(e, "envVars");
		if (json_object_set(ret->env, name, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_members(const json_t *body, struct identity *ret, struct err *e)
{
	const char *time =
		json_string_value(json_object_get(body, "timestamp"));
	const json_t *disk = json_object_get(body, "diskBytes");

	TRY(read_texts(body, ret, e));
	if (!is_hostname(ret->hostname))
		return bad(e, "hostname");
	if (!is_machine_id(ret->machine_id))
		return bad(e, "machineId");
	if (ret->default_workdir[0] != '/')
		return bad(e, "defaultWorkdir");
	if (time == NULL || identity_parse_time(span_str(time), &ret->wall) < 0)
		return bad(e, "timestamp");
	if (disk != NULL &&
	    (!json_is_integer(disk) || json_integer_value(disk) < 0))
		return bad(e, "diskBytes");
	ret->disk_bytes = (uint64_t)json_integer_value(disk);
	TRY(read_entropy(body, ret, e));
	return read_env(body, ret, e);
}

int identity_parse(struct span body, struct identity *ret, struct err *e)
{
	json_t *root = json_loadb((const char *)body.ptr, body.len, 0, NULL);
	int r = 0;

	r = json_is_object(root) ? read_members(root, ret, e) : bad(e, "{");
	json_decref(root);
	if (r < 0)
		identity_fini(ret);
	return r;
}
