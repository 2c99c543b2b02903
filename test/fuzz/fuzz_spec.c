// SPDX-License-Identifier: Apache-2.0
// Specifications: one that is taken is written again, and what was written is
// taken and written the same; one that is refused has a sentence.

#include <stdlib.h>
#include <string.h>

#include "domain/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(sandbox_spec_fini) struct sandbox_spec a = { .vcpus = 0 };
	CLEANUP(sandbox_spec_fini) struct sandbox_spec b = { .vcpus = 0 };
	CLEANUP(buf_fini) struct buf first = BUF_EMPTY(SIZE_MAX / 2);
	CLEANUP(buf_fini) struct buf second = BUF_EMPTY(SIZE_MAX / 2);
	struct err e = { 0 };
	int r = sandbox_spec_parse(span_of(bytes, len), &a, &e);

	if (r < 0) {
		must(r == -EBADMSG && e.code == r && a.env_json == NULL);
		return 0;
	}
	must(a.vcpus <= SANDBOX_VCPUS_MAX && a.boot < BOOT_COUNT);
	must(a.mem_mib <= SANDBOX_MEM_MAX_MIB && a.env_json != NULL);
	must(a.tier > TIER_NONE && a.tier < TIER_COUNT);
	must(memchr(a.layer, 0, sizeof(a.layer)) != NULL);
	must(sandbox_spec_put(&a, &first) == 0);
	must(sandbox_spec_parse(buf_span(&first), &b, &e) == 0);
	must(sandbox_spec_put(&b, &second) == 0);
	must(span_eq(buf_span(&first), buf_span(&second)));
	return 0;
}
