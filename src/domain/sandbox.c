// SPDX-License-Identifier: Apache-2.0
// What a sandbox is: names, tiers, causes, and its specification as JSON.

#include "domain/sandbox.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

static const char *const tier_names[] = {
	[TIER_NONE] = "none",		[TIER_PROCESS] = "process",
	[TIER_CONTAINER] = "container", [TIER_USERKERNEL] = "userkernel",
	[TIER_MICROVM] = "microvm",
};
_Static_assert(ARRAY_LEN(tier_names) == TIER_COUNT, "a name per tier");

static const char *const cause_names[] = {
	[CAUSE_NONE] = "none",
	[CAUSE_EXITED] = "exited",
	[CAUSE_SIGNALED] = "signaled",
	[CAUSE_KILLED] = "killed",
	[CAUSE_TIMEOUT] = "timeout",
	[CAUSE_IDLE] = "idle",
	[CAUSE_CPU_TIME] = "cpu_time",
	[CAUSE_MEMORY] = "memory",
	[CAUSE_DISK] = "disk",
	[CAUSE_OUTPUT] = "output",
	[CAUSE_ENGINE_FAILED] = "engine_failed",
	[CAUSE_AGENT_LOST] = "agent_lost",
	[CAUSE_HOST] = "host",
};
_Static_assert(ARRAY_LEN(cause_names) == CAUSE_COUNT, "a name per cause");

static int name_index(const char *const *names, size_t count, struct span name)
{
	for (size_t i = 1; i < count; i++) {
		if (span_is(name, names[i]))
			return (int)i;
	}
	return -EINVAL;
}

const char *tier_name(enum tier tier)
{
	return tier_names[tier];
}

int tier_parse(struct span name, enum tier *ret)
{
	int i = name_index(tier_names, TIER_COUNT, name);

	TRY(i);
	*ret = (enum tier)i;
	return 0;
}

const char *cause_name(enum cause cause)
{
	return cause_names[cause];
}

int cause_parse(struct span name, enum cause *ret)
{
	int i = name_index(cause_names, CAUSE_COUNT, name);

	TRY(i);
	*ret = (enum cause)i;
	return 0;
}

/* The document's fields: one row each, so that reading and writing agree. */
enum field_type { FIELD_TEXT, FIELD_UNSIGNED, FIELD_U32 };

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	size_t size; /* of a text, NUL included */
	unsigned max;
};

#define TEXT(f)                                                                \
	{ #f, FIELD_TEXT, offsetof(struct sandbox_spec, f),                    \
	  sizeof(((struct sandbox_spec *)0)->f), 0 }
#define UNSIGNED(f, max)                                                       \
	{ #f, FIELD_UNSIGNED, offsetof(struct sandbox_spec, f), 0, max }
#define U32(f)                                                                 \
	{ #f, FIELD_U32, offsetof(struct sandbox_spec, f), 0, UINT32_MAX }

static const struct field fields[] = {
	TEXT(id),
	TEXT(template_name),
	TEXT(engine),
	TEXT(accel),
	UNSIGNED(boot, BOOT_COUNT - 1),
	UNSIGNED(vcpus, SANDBOX_VCPUS_MAX),
	UNSIGNED(cpu_pct, 100 * SANDBOX_VCPUS_MAX),
	UNSIGNED(mem_mib, SANDBOX_MEM_MAX_MIB),
	UNSIGNED(disk_mib, SANDBOX_DISK_MAX_MIB),
	UNSIGNED(base_disk_mib, SANDBOX_DISK_MAX_MIB),
	UNSIGNED(timeout_s, UINT_MAX),
	UNSIGNED(tsc_khz, UINT_MAX),
	UNSIGNED(idle_s, UINT_MAX),
	TEXT(engine_root),
	TEXT(kernel),
	TEXT(initrd),
	TEXT(root_image),
	TEXT(modules_image),
	TEXT(layer),
	TEXT(base_layer),
	TEXT(ram),
	TEXT(vm_state),
	TEXT(cpu_model),
	U32(uid),
	U32(shim_uid),
	TEXT(hostname),
	TEXT(token),
};

static void json_drop(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

void sandbox_spec_fini(struct sandbox_spec *spec)
{
	mem_free(spec->env_json);
	spec->env_json = NULL;
}

static json_t *field_to_json(const struct sandbox_spec *spec,
			     const struct field *f)
{
	const char *at = (const char *)spec + f->offset;
	unsigned number = 0;
	uint32_t id = 0;

	switch (f->type) {
	case FIELD_TEXT:
		return json_string(at);
	case FIELD_UNSIGNED:
		memcpy(&number, at, sizeof(number));
		return json_integer((json_int_t)number);
	case FIELD_U32:
		memcpy(&id, at, sizeof(id));
		return json_integer((json_int_t)id);
	}
	return NULL;
}

static json_t *spec_to_json(const struct sandbox_spec *spec)
{
	CLEANUP(json_drop) json_t *doc = json_object();
	const char *env = spec->env_json != NULL ? spec->env_json : "{}";

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		json_t *value = field_to_json(spec, &fields[i]);

		if (json_object_set_new(doc, fields[i].name, value) < 0)
			return NULL;
	}
	if (json_object_set_new(doc, "tier",
				json_string(tier_name(spec->tier))) < 0 ||
	    json_object_set_new(doc, "env", json_loads(env, 0, NULL)) < 0)
		return NULL;
	return json_incref(doc);
}

static int put_bytes(const char *bytes, size_t len, void *out)
{
	return buf_put(out, span_of(bytes, len)) < 0 ? -1 : 0;
}

int sandbox_spec_put(const struct sandbox_spec *spec, struct buf *out)
{
	CLEANUP(json_drop) json_t *doc = spec_to_json(spec);

	if (doc == NULL)
		return -ENOMEM;
	if (json_dump_callback(doc, put_bytes, out, JSON_COMPACT) < 0)
		return -E2BIG;
	return 0;
}

static int text_from_json(json_t *value, char *at, size_t size)
{
	if (!json_is_string(value))
		return -EBADMSG;
	return span_copy_str(span_of(json_string_value(value),
				     json_string_length(value)),
			     at, size);
}

static int field_from_json(json_t *doc, const struct field *f,
			   struct sandbox_spec *spec)
{
	json_t *value = json_object_get(doc, f->name);
	char *at = (char *)spec + f->offset;
	json_int_t number = 0;
	unsigned plain = 0;
	uint32_t id = 0;

	if (f->type == FIELD_TEXT)
		return text_from_json(value, at, f->size);
	number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 ||
	    number > (json_int_t)f->max)
		return -EBADMSG;
	if (f->type == FIELD_UNSIGNED) {
		plain = (unsigned)number;
		memcpy(at, &plain, sizeof(plain));
	} else {
		id = (uint32_t)number;
		memcpy(at, &id, sizeof(id));
	}
	return 0;
}

static int env_from_json(json_t *doc, struct sandbox_spec *spec)
{
	json_t *env = json_object_get(doc, "env");
	const char *name = NULL;
	json_t *value = NULL;
	char *text = NULL;

	if (!json_is_object(env))
		return -EBADMSG;
	json_object_foreach(env, name, value) {
		if (!json_is_string(value))
			return -EBADMSG;
	}
	text = json_dumps(env, JSON_COMPACT);
	if (text == NULL)
		return -ENOMEM;
	spec->env_json = text;
	return 0;
}

int sandbox_spec_parse(struct span json, struct sandbox_spec *ret,
		       struct err *e)
{
	CLEANUP(json_drop)
	json_t *doc = json_loadb((const char *)json.ptr, json.len,
				 JSON_REJECT_DUPLICATES, NULL);
	CLEANUP(sandbox_spec_fini) struct sandbox_spec spec = { 0 };
	const char *tier = json_string_value(json_object_get(doc, "tier"));

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (field_from_json(doc, &fields[i], &spec) < 0)
			return err_set(
				e, -EBADMSG,
				"cannot read the sandbox specification: "
				"field \"%s\" is missing or wrong; start "
				"the shim through caponier",
				fields[i].name);
	}
	if (tier == NULL || tier_parse(span_str(tier), &spec.tier) < 0 ||
	    env_from_json(doc, &spec) < 0)
		return err_set(e, -EBADMSG,
			       "cannot read the sandbox specification: field "
			       "\"tier\" or \"env\" is missing or wrong; start "
			       "the shim through caponier");
	*ret = spec;
	spec.env_json = NULL; /* ownership moved to *ret */
	return 0;
}

int sandbox_id_new(char ret[SANDBOX_ID_BYTES])
{
	return rng_hex(ret, (SANDBOX_ID_BYTES - 1) / 2);
}

bool sandbox_id_is_valid(struct span text)
{
	if (text.len != SANDBOX_ID_BYTES - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}
