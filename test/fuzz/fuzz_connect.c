// SPDX-License-Identifier: Apache-2.0
// Connect envelopes: the first byte is the maximum. What is taken is written
// again and must be the bytes that were read; a prefix never tells otherwise.

#include <stdlib.h>

#include "wire/connect.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* No prefix of an envelope is one, nor is it refused unless the whole is. */
static void check_prefixes(struct span whole, size_t max, int r)
{
	for (size_t n = 0; n < whole.len && n < 64; n++) {
		struct span in = span_to(whole, n);
		struct span message = span_of(NULL, 0);
		uint8_t flags = 0;
		int early = connect_next(&in, max, &flags, &message);

		must(early == 0 || (early < 0 && early == r));
		must(in.len == n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span in = span_of(bytes + (len > 0), len - (len > 0));
	size_t max = len > 0 ? bytes[0] : 0;
	int r = 1;

	while (r == 1) {
		CLEANUP(buf_fini) struct buf again = BUF_EMPTY(len);
		struct span before = in;
		struct span message = span_of(NULL, 0);
		size_t used = 0;
		uint8_t flags = 0;

		r = connect_next(&in, max, &flags, &message);
		used = before.len - in.len;
		if (r != 1) {
			check_prefixes(before, max, r);
			break;
		}
		must(message.len <= max && used > message.len);
		must(connect_put(&again, flags, message) == 0);
		must(span_eq(buf_span(&again), span_to(before, used)));
		check_prefixes(span_to(before, used), max, 1);
	}
	return 0;
}
