// SPDX-License-Identifier: Apache-2.0
// Forms: the first byte seeds how the rest is cut. However it is cut, the same
// is seen; and nothing is seen that is not in the input.

#include <stdlib.h>
#include <string.h>

#include "agent/multipart.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static size_t cut(uint32_t *seed, size_t max)
{
	size_t n = max;

	if (*seed != 0) {
		*seed = *seed * 1664525 + 1013904223;
		n = 1 + (*seed >> 28);
	}
	return n < max ? n : max;
}

static void note(struct buf *notes, const struct multipart *m,
		 enum multipart_event event, struct span bytes)
{
	if (event == MULTIPART_PART)
		must(buf_printf(notes, "<%s|%s>", m->name, m->filename) == 0);
	else if (event == MULTIPART_BYTES)
		must(bytes.len != 0 && buf_put(notes, bytes) == 0);
	else
		must(buf_put_str(notes, "</>") == 0);
}

static int take(struct span body, uint32_t seed, struct buf *notes)
{
	static struct multipart m;
	int r = multipart_init(&m, span_str("multipart/form-data; boundary=b"));

	must(r == 0);
	while (r >= 0 && body.len != 0) {
		struct span piece = span_to(body, cut(&seed, body.len));
		enum multipart_event event = MULTIPART_PART;
		struct span got = span_of(NULL, 0);

		body = span_from(body, piece.len);
		while ((r = multipart_next(&m, &piece, &event, &got)) == 1)
			note(notes, &m, event, got);
	}
	return r < 0 ? r : m.is_complete;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(buf_fini) struct buf whole = BUF_EMPTY(16777216);
	CLEANUP(buf_fini) struct buf pieces = BUF_EMPTY(16777216);
	struct multipart m;
	struct span in = span_of(bytes, len);
	uint32_t seed = len > 0 ? bytes[0] + 1U : 1;

	(void)!multipart_init(&m, in); /* as a Content-Type */
	in = span_from(in, 1);
	must(take(in, 0, &whole) == take(in, seed, &pieces));
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	return 0;
}
