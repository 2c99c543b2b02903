// SPDX-License-Identifier: Apache-2.0
// A server's connection: the first byte seeds how the rest is cut. What the
// handler sees and what the client gets must not depend on it.

#include "http_drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span input = span_of(bytes + (len > 0), len - (len > 0));
	struct drive whole;
	struct drive cut;

	drive_init(&whole, 0);
	drive_init(&cut, len > 0 ? bytes[0] + 1U : 1);
	drive_run(&whole, input);
	drive_run(&cut, input);
	if (!span_eq(buf_span(&whole.notes), buf_span(&cut.notes)) ||
	    !span_eq(buf_span(&whole.output), buf_span(&cut.output)))
		abort();
	drive_fini(&whole);
	drive_fini(&cut);
	return 0;
}
