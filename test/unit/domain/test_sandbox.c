// SPDX-License-Identifier: Apache-2.0
// The specification: it comes back as it was, and every field that is missing,
// of another type or too large is refused by its name.

#include "domain/sandbox.h"

#include <jansson.h>

#include "base/mem.h"
#include "tap.h"

/* Every field of the document but tier and env, and the least value that is
 * too large: of a number its maximum plus one, of a text its size. */
static const struct {
	const char *name;
	bool is_text;
	json_int_t too_large;
} FIELDS[] = {
	{ "id", true, SANDBOX_ID_BYTES },
	{ "template_name", true, SANDBOX_NAME_BYTES },
	{ "engine", true, SANDBOX_NAME_BYTES },
	{ "accel", true, SANDBOX_NAME_BYTES },
	{ "boot", false, BOOT_COUNT },
	{ "vcpus", false, SANDBOX_VCPUS_MAX + 1 },
	{ "cpu_pct", false, 100 * SANDBOX_VCPUS_MAX + 1 },
	{ "mem_mib", false, SANDBOX_MEM_MAX_MIB + 1 },
	{ "disk_mib", false, SANDBOX_DISK_MAX_MIB + 1 },
	{ "base_disk_mib", false, SANDBOX_DISK_MAX_MIB + 1 },
	{ "timeout_s", false, 4294967296 },
	{ "idle_s", false, 4294967296 },
	{ "engine_root", true, PATH_MAX },
	{ "kernel", true, PATH_MAX },
	{ "initrd", true, PATH_MAX },
	{ "root_image", true, PATH_MAX },
	{ "modules_image", true, PATH_MAX },
	{ "layer", true, PATH_MAX },
	{ "base_layer", true, PATH_MAX },
	{ "ram", true, PATH_MAX },
	{ "vm_state", true, PATH_MAX },
	{ "cpu_model", true, SANDBOX_NAME_BYTES },
	{ "tsc_khz", false, 4294967296 },
	{ "uid", false, 4294967296 },
	{ "shim_uid", false, 4294967296 },
	{ "hostname", true, SANDBOX_NAME_BYTES },
	{ "token", true, SANDBOX_TOKEN_BYTES },
};

static void json_drop(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

static struct sandbox_spec example(void)
{
	struct sandbox_spec spec = {
		.id = "0123456789abcdef0123",
		.template_name = "python",
		.engine = "qemu",
		.accel = "tcg",
		.tier = TIER_MICROVM,
		.boot = BOOT_RESTORE,
		.vcpus = SANDBOX_VCPUS_MAX,
		.cpu_pct = 150,
		.mem_mib = 512,
		.disk_mib = 2048,
		.base_disk_mib = 1024,
		.timeout_s = UINT32_MAX,
		.idle_s = 0,
		.engine_root = "/engine",
		.kernel = "/kernel",
		.layer = "/a \"quoted\" path\\ \xc3\xa9\n",
		.cpu_model = "max",
		.uid = UINT32_MAX,
		.shim_uid = 65534,
		.hostname = "h",
		.token = "t",
	};

	spec.env_json = mem_str("{\"B\":\"2\",\"A\":\"1 \\\"\"}");
	return spec;
}

/* The example as a document that a test may spoil. */
static json_t *example_json(void)
{
	CLEANUP(sandbox_spec_fini) struct sandbox_spec spec = example();
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(SANDBOX_SPEC_MAX_BYTES);

	CHECK_EQ(sandbox_spec_put(&spec, &out), 0);
	return json_loadb((const char *)out.ptr, out.len, 0, NULL);
}

/* Takes ownership of @value; NULL removes the field. */
static json_t *spoiled(const char *name, json_t *value)
{
	json_t *doc = example_json();

	if (value == NULL)
		(void)json_object_del(doc, name);
	else
		(void)json_object_set_new(doc, name, value);
	return doc;
}

/* Whether @doc is refused with a sentence that names @field. */
static bool is_refused(json_t *doc_given, const char *field)
{
	CLEANUP(json_drop) json_t *doc = doc_given;
	CLEANUP(mem_free_ptr) char *text = json_dumps(doc, JSON_ENCODE_ANY);
	struct sandbox_spec spec = { .vcpus = 77 };
	struct err e = { 0 };
	char quoted[64];
	int r = sandbox_spec_parse(span_str(text), &spec, &e);

	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", field);
	if (r == -EBADMSG && strstr(e.text, quoted) != NULL &&
	    spec.vcpus == 77 && spec.env_json == NULL)
		return true;
	printf("# field %s: %d %s\n", field, r, e.text);
	if (r == 0)
		sandbox_spec_fini(&spec);
	return false;
}

static json_t *text_of(size_t len)
{
	char text[PATH_MAX + 1];

	memset(text, 'x', len);
	return json_stringn(text, len);
}

TEST(a_specification_comes_back)
{
	CLEANUP(sandbox_spec_fini) struct sandbox_spec a = example();
	CLEANUP(sandbox_spec_fini) struct sandbox_spec b = { .vcpus = 0 };
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(SANDBOX_SPEC_MAX_BYTES);
	CLEANUP(buf_fini) struct buf again = BUF_EMPTY(SANDBOX_SPEC_MAX_BYTES);
	struct err e = { 0 };

	CHECK_EQ(sandbox_spec_put(&a, &out), 0);
	CHECK_EQ(sandbox_spec_parse(buf_span(&out), &b, &e), 0);
	CHECK_STR(b.layer, a.layer);
	CHECK_STR(b.ram, "");
	CHECK_EQ(b.tier, TIER_MICROVM);
	CHECK_EQ(b.uid, UINT32_MAX);
	CHECK_EQ(b.timeout_s, UINT32_MAX);
	CHECK_STR(b.env_json, "{\"B\":\"2\",\"A\":\"1 \\\"\"}");
	CHECK_EQ(sandbox_spec_put(&b, &again), 0);
	CHECK(span_eq(buf_span(&out), buf_span(&again)));
}

TEST(a_missing_field_is_named)
{
	CLEANUP(json_drop) json_t *doc = example_json();

	/* A new field belongs into the table above. */
	CHECK_EQ(json_object_size(doc), ARRAY_LEN(FIELDS) + 2);
	for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++)
		CHECK(is_refused(spoiled(FIELDS[i].name, NULL),
				 FIELDS[i].name));
	CHECK(is_refused(spoiled("tier", NULL), "tier"));
	CHECK(is_refused(spoiled("env", NULL), "env"));
}

TEST(a_field_of_another_type_is_named)
{
	for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
		const char *name = FIELDS[i].name;

		CHECK(is_refused(spoiled(name, json_null()), name));
		CHECK(is_refused(spoiled(name, json_array()), name));
		CHECK(is_refused(spoiled(name, json_real(1.0)), name));
		CHECK(is_refused(spoiled(name, FIELDS[i].is_text ?
						       json_integer(1) :
						       json_string("1")),
				 name));
	}
	CHECK(is_refused(spoiled("tier", json_integer(4)), "tier"));
	CHECK(is_refused(spoiled("tier", json_string("none")), "tier"));
	CHECK(is_refused(spoiled("tier", json_string("huge")), "tier"));
	CHECK(is_refused(spoiled("env", json_string("A=1")), "env"));
	CHECK(is_refused(spoiled("env", json_pack("{s:i}", "A", 1)), "env"));
}

TEST(a_field_that_is_too_large_is_named)
{
	for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
		const char *name = FIELDS[i].name;
		json_int_t most = FIELDS[i].too_large;

		if (FIELDS[i].is_text) {
			CHECK(is_refused(spoiled(name, text_of((size_t)most)),
					 name));
			continue;
		}
		CHECK(is_refused(spoiled(name, json_integer(most)), name));
		CHECK(is_refused(spoiled(name, json_integer(-1)), name));
		CHECK(is_refused(spoiled(name, json_integer(INT64_MAX)), name));
	}
}

TEST(the_largest_values_are_taken)
{
	CLEANUP(json_drop) json_t *doc = example_json();
	CLEANUP(sandbox_spec_fini) struct sandbox_spec spec = { .vcpus = 0 };
	CLEANUP(mem_free_ptr) char *text = NULL;
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
		json_int_t most = FIELDS[i].too_large - 1;

		CHECK_EQ(json_object_set_new(doc, FIELDS[i].name,
					     FIELDS[i].is_text ?
						     text_of((size_t)most) :
						     json_integer(most)),
			 0);
	}
	text = json_dumps(doc, 0);
	CHECK_EQ(sandbox_spec_parse(span_str(text), &spec, &e), 0);
	CHECK_EQ(strlen(spec.kernel), PATH_MAX - 1);
	CHECK_EQ(spec.mem_mib, SANDBOX_MEM_MAX_MIB);
}

TEST(duplicates_and_what_is_no_object_are_refused)
{
	static const char *const BAD[] = { "",	 "{",	 "[]", "null",
					   "{}", "{}{}", "1",  "\"id\"" };
	CLEANUP(json_drop) json_t *doc = example_json();
	CLEANUP(mem_free_ptr) char *text = json_dumps(doc, 0);
	CLEANUP(buf_fini) struct buf twice = BUF_EMPTY(SANDBOX_SPEC_MAX_BYTES);
	struct sandbox_spec spec = { .vcpus = 77 };

	CHECK_EQ(buf_printf(&twice, "{\"vcpus\":1,%s", text + 1), 0);
	CHECK_EQ(sandbox_spec_parse(buf_span(&twice), &spec, NULL), -EBADMSG);
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		CHECK_EQ(sandbox_spec_parse(span_str(BAD[i]), &spec, NULL),
			 -EBADMSG);
	CHECK_EQ(spec.vcpus, 77);
}

TEST(the_sentences_are_these)
{
	struct sandbox_spec spec = { .vcpus = 0 };
	struct err e = { 0 };
	struct err later = { 0 };
	CLEANUP(json_drop) json_t *doc = spoiled("env", NULL);
	CLEANUP(mem_free_ptr) char *text = json_dumps(doc, 0);

	CHECK_EQ(sandbox_spec_parse(span_str("{}"), &spec, &e), -EBADMSG);
	CHECK_STR(e.text, "cannot read the sandbox specification: field \"id\" "
			  "is missing or wrong; start the shim through "
			  "caponier");
	CHECK_EQ(sandbox_spec_parse(span_str(text), &spec, &later), -EBADMSG);
	CHECK_STR(later.text, "cannot read the sandbox specification: field "
			      "\"tier\" or \"env\" is missing or wrong; start "
			      "the shim through caponier");
}

TEST(what_cannot_be_written_is_not)
{
	CLEANUP(sandbox_spec_fini) struct sandbox_spec spec = example();
	CLEANUP(buf_fini) struct buf small = BUF_EMPTY(50);
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(SANDBOX_SPEC_MAX_BYTES);

	CHECK_EQ(sandbox_spec_put(&spec, &small), -E2BIG);
	spec.env_json[0] = '[';
	CHECK(sandbox_spec_put(&spec, &out) < 0);
	mem_free(spec.env_json);
	spec.env_json = NULL;
	CHECK_EQ(sandbox_spec_put(&spec, &out), 0);
	CHECK(memmem(out.ptr, out.len, "\"env\":{}", 8) != NULL);
}

TEST(names_come_back_and_none_is_no_name)
{
	enum tier tier = TIER_NONE;
	enum cause cause = CAUSE_NONE;

	for (int i = 1; i < TIER_COUNT; i++) {
		CHECK_EQ(tier_parse(span_str(tier_name((enum tier)i)), &tier),
			 0);
		CHECK_EQ(tier, (enum tier)i);
	}
	for (int i = 1; i < CAUSE_COUNT; i++) {
		CHECK_EQ(cause_parse(span_str(cause_name((enum cause)i)),
				     &cause),
			 0);
		CHECK_EQ(cause, (enum cause)i);
	}
	CHECK_EQ(tier_parse(span_str("none"), &tier), -EINVAL);
	CHECK_EQ(tier_parse(span_str("microvm "), &tier), -EINVAL);
	CHECK_EQ(cause_parse(span_str(""), &cause), -EINVAL);
	CHECK_EQ(tier, TIER_MICROVM);
}

TEST(ids_are_twenty_lower_case_digits)
{
	char a[SANDBOX_ID_BYTES];
	char b[SANDBOX_ID_BYTES];

	CHECK_EQ(sandbox_id_new(a), 0);
	CHECK_EQ(sandbox_id_new(b), 0);
	CHECK(sandbox_id_is_valid(span_str(a)));
	CHECK(strcmp(a, b) != 0);
	CHECK(!sandbox_id_is_valid(span_str("0123456789abcdef012")));
	CHECK(!sandbox_id_is_valid(span_str("0123456789abcdef01234")));
	CHECK(!sandbox_id_is_valid(span_str("0123456789ABCDEF0123")));
	CHECK(!sandbox_id_is_valid(span_str("0123456789abcdef../.")));
	CHECK(!sandbox_id_is_valid(span_str("")));
}

TESTS(RUN(a_specification_comes_back), RUN(a_missing_field_is_named),
      RUN(a_field_of_another_type_is_named),
      RUN(a_field_that_is_too_large_is_named),
      RUN(the_largest_values_are_taken),
      RUN(duplicates_and_what_is_no_object_are_refused),
      RUN(the_sentences_are_these), RUN(what_cannot_be_written_is_not),
      RUN(names_come_back_and_none_is_no_name),
      RUN(ids_are_twenty_lower_case_digits))
