// SPDX-License-Identifier: Apache-2.0
// Forms: whole, cut anywhere, and malformed.

#include "agent/multipart.h"

#include "base/buf.h"
#include "tap.h"

#define TYPE "multipart/form-data; boundary=XX"

/* Takes a body in pieces of @step bytes and writes down what was seen. */
static int take(const char *type, struct span body, size_t step,
		struct buf *notes)
{
	static struct multipart m;
	int r = multipart_init(&m, span_str(type));

	while (r >= 0 && body.len != 0) {
		struct span piece = span_to(body, step);
		enum multipart_event event = MULTIPART_PART;
		struct span bytes = span_of(NULL, 0);

		body = span_from(body, piece.len);
		while ((r = multipart_next(&m, &piece, &event, &bytes)) == 1) {
			if (event == MULTIPART_PART)
				r = buf_printf(notes, "[%s|%s|", m.name,
					       m.filename);
			else if (event == MULTIPART_BYTES)
				r = buf_put(notes, bytes);
			else
				r = buf_put_str(notes, "]");
			if (r < 0)
				return r;
		}
	}
	if (r >= 0 && m.is_complete)
		r = buf_put_str(notes, "$");
	return r;
}

static void expect(const char *body, const char *notes)
{
	for (size_t step = 1; step <= strlen(body); step++) {
		CLEANUP(buf_fini) struct buf seen = BUF_EMPTY(65536);

		CHECK(take(TYPE, span_str(body), step, &seen) >= 0);
		CHECK_STR(buf_cstr(&seen), notes);
	}
}

#define HEAD(more)                                                             \
	"Content-Disposition: form-data; name=\"file\"" more "\r\n\r\n"

TEST(one_part_however_it_is_cut)
{
	expect("--XX\r\n" HEAD("; filename=\"a.txt\"") "hello\r\n--XX--\r\n",
	       "[file|a.txt|hello]$");
}

TEST(several_parts_and_what_stands_around_them)
{
	expect("before\r\n--XX\r\n" HEAD(
		       "; filename=\"a\"") "1\r\n--XX \r\n"
					   "X-Other: y\r\n"
					   "content-disposition:form-data;name=other\r\n\r\n"
					   "\r\n--XX--after\r\n--XX\r\n",
	       "[file|a|1][other||]$");
}

TEST(what_nearly_is_a_delimiter_is_the_parts_own)
{
	expect("--XX\r\n" HEAD("") "a\r\r\n-\r\n--X\r\n--\r\r\n--XX--",
	       "[file||a\r\r\n-\r\n--X\r\n--\r]$");
}

TEST(file_names_as_clients_write_them)
{
	expect("--XX\r\n" HEAD(
		       "; filename=\"a \\\"b\\\\c;d=.txt\"") "\r\n--XX--",
	       "[file|a \"b\\c;d=.txt|]$");
	expect("--XX\r\n" HEAD("; filename=\"../../etc/x\"") "\r\n--XX--",
	       "[file|../../etc/x|]$");
	expect("--XX\r\n" HEAD(
		       "; filename*=UTF-8''%e2%82%ac%20b; filename=\"no\"") "\r\n--XX--",
	       "[file|\xe2\x82\xac b|]$");
	/* The name is not found inside another parameter's value. */
	expect("--XX\r\nContent-Disposition: form-data; x=\"; name=evil\"; "
	       "name=\"good\"\r\n\r\n\r\n--XX--",
	       "[good||]$");
}

TEST(an_unfinished_form_is_not_complete)
{
	expect("--XX\r\n" HEAD("") "abc\r\n--X", "[file||abc");
}

static int result(const char *type, struct span body)
{
	CLEANUP(buf_fini) struct buf seen = BUF_EMPTY(65536);

	return take(type, body, 1000000, &seen);
}

TEST(what_is_refused)
{
	static const char NUL[] =
		"--XX\r\nContent-Disposition: form-data; name=\"a\0b\"\r\n\r\n";
	static char long_head[MULTIPART_HEAD_MAX_BYTES + 64];

	CHECK_EQ(result("multipart/form-data", span_str("x")), -EINVAL);
	CHECK_EQ(result("multipart/form-data; boundary=", span_str("x")),
		 -EINVAL);
	CHECK_EQ(result("multipart/form-data; boundary=\"a b\"", span_str("x")),
		 -EINVAL);
	CHECK_EQ(result("text/plain; boundary=XX", span_str("x")), -EINVAL);
	CHECK_EQ(result(TYPE, span_str("--XXx\r\n")), -EBADMSG);
	CHECK_EQ(result(TYPE, span_str("--XX\r\n\r\n\r\n")), -EBADMSG);
	CHECK_EQ(result(TYPE, span_of(NUL, sizeof(NUL) - 1)), -EBADMSG);
	(void)snprintf(long_head, sizeof(long_head), "--XX\r\n%0*d",
		       (int)sizeof(long_head) - 7, 0);
	CHECK_EQ(result(TYPE, span_str(long_head)), -E2BIG);
}

TESTS(RUN(one_part_however_it_is_cut),
      RUN(several_parts_and_what_stands_around_them),
      RUN(what_nearly_is_a_delimiter_is_the_parts_own),
      RUN(file_names_as_clients_write_them),
      RUN(an_unfinished_form_is_not_complete), RUN(what_is_refused))
