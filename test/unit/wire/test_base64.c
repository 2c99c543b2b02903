// SPDX-License-Identifier: Apache-2.0
// Base64: the vectors of RFC 4648 section 10, and what must be refused.

#include "wire/base64.h"

#include "tap.h"

static const struct {
	const char *bytes;
	const char *text;
	const char *unpadded;
} VECTORS[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/", "+/+/" },
	{ "root:", "cm9vdDo=", "cm9vdDo" },
};

TEST(rfc4648_10_vectors_encode)
{
	for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
		CLEANUP(buf_fini) struct buf out = BUF_EMPTY(64);

		CHECK_EQ(base64_put(&out, span_str(VECTORS[i].bytes)), 0);
		CHECK(span_is(buf_span(&out), VECTORS[i].text));
	}
}

TEST(rfc4648_10_vectors_decode_padded_and_not)
{
	for (size_t i = 0; i < ARRAY_LEN(VECTORS); i++) {
		CLEANUP(buf_fini) struct buf out = BUF_EMPTY(64);
		CLEANUP(buf_fini) struct buf bare = BUF_EMPTY(64);

		CHECK_EQ(base64_decode(span_str(VECTORS[i].text), &out), 0);
		CHECK_EQ(base64_decode(span_str(VECTORS[i].unpadded), &bare),
			 0);
		CHECK(span_is(buf_span(&out), VECTORS[i].bytes));
		CHECK(span_is(buf_span(&bare), VECTORS[i].bytes));
	}
}

TEST(odd_text_is_refused_and_nothing_appended)
{
	static const char *const TEXTS[] = {
		"Z",
		"=",
		"==",
		"===",
		"====",
		"Zg=",
		"Zg===",
		"Zm9v=",
		"Zm9v====",
		"Z===",
		"Zm8==",
		"Zh==",
		"Zm9=",
		"Zh",
		"Zm9",
		"Zg==Zg==",
		"Zg=a",
		"Zm 9v",
		"Zm9v\n",
		"Zm9-",
		"Zm_v",
		"Zm9v!",
		"\xff\xff\xff\xff",
		"Zm9vZ",
	};

	for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
		CLEANUP(buf_fini) struct buf out = BUF_EMPTY(64);

		CHECK_EQ(buf_put_str(&out, "kept"), 0);
		if (!CHECK_EQ(base64_decode(span_str(TEXTS[i]), &out),
			      -EBADMSG))
			printf("# %s\n", TEXTS[i]);
		CHECK(span_is(buf_span(&out), "kept"));
	}
	/* RFC 4648 has no digit NUL either */
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(64);

	CHECK_EQ(base64_decode(span_of("Zm\0v", 4), &out), -EBADMSG);
}

TEST(a_maximum_is_kept_and_all_or_nothing)
{
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(7);

	CHECK_EQ(base64_put(&out, span_str("foob")), -E2BIG);
	CHECK_EQ(out.len, 0);
	CHECK_EQ(base64_decode(span_str("Zm9vYmFyZm9v"), &out), -E2BIG);
	CHECK_EQ(out.len, 0);
}

TEST(all_bytes_in_all_lengths_come_back)
{
	uint8_t bytes[300];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + (i >> 8));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		CLEANUP(buf_fini) struct buf text = BUF_EMPTY(512);
		CLEANUP(buf_fini) struct buf back = BUF_EMPTY(512);

		CHECK_EQ(base64_put(&text, span_of(bytes, len)), 0);
		CHECK_EQ(base64_decode(buf_span(&text), &back), 0);
		CHECK(span_eq(buf_span(&back), span_of(bytes, len)));
	}
}

TESTS(RUN(rfc4648_10_vectors_encode),
      RUN(rfc4648_10_vectors_decode_padded_and_not),
      RUN(odd_text_is_refused_and_nothing_appended),
      RUN(a_maximum_is_kept_and_all_or_nothing),
      RUN(all_bytes_in_all_lengths_come_back))
