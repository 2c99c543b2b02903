// SPDX-License-Identifier: Apache-2.0
// The last output of a process: Connect envelopes in the order they came.

#include "shim/output.h"

#include "wire/connect.h"

/* Bytes given to all readers stay until it pays to move the rest. */
enum { OUTPUT_SLACK_BYTES = 65536 };

void output_fini(struct output *output)
{
	buf_fini(&output->bytes);
}

/* Envelopes were whole when they were put. */
static size_t envelope_len(struct span bytes)
{
	uint8_t flags = 0;
	struct span message = { 0 };
	size_t had = bytes.len;

	if (connect_next(&bytes, OUTPUT_ENVELOPE_MAX_BYTES, &flags, &message) !=
	    1)
		return 0;
	return had - bytes.len;
}

static void drop(struct output *output, size_t n)
{
	buf_drop(&output->bytes, n);
	output->tail += n;
	if (output->bytes.len == 0)
		buf_fini(&output->bytes); /* invariant 3 */
}

/* Nobody reads: the oldest give way until @need bytes fit. */
static void drop_oldest(struct output *output, size_t need)
{
	struct span rest = buf_span(&output->bytes);
	size_t gone = 0;

	while (rest.len + need > OUTPUT_MAX_BYTES) {
		size_t n = envelope_len(rest);

		gone += n;
		rest = span_from(rest, n);
	}
	output->dropped_bytes += gone;
	drop(output, gone);
}

int output_put(struct output *output, struct span envelope, uint64_t floor)
{
	if (floor == OUTPUT_UNREAD) {
		drop_oldest(output, envelope.len);
	} else if (output->bytes.len + envelope.len > OUTPUT_MAX_BYTES) {
		drop(output, (size_t)(floor - output->tail));
		if (output->bytes.len + envelope.len > OUTPUT_MAX_BYTES)
			return -EAGAIN;
	}
	return buf_put(&output->bytes, envelope);
}

struct span output_at(const struct output *output, uint64_t at)
{
	struct span rest = { 0 };

	if (at < output->tail)
		return rest;
	rest = span_from(buf_span(&output->bytes), (size_t)(at - output->tail));
	return span_to(rest, envelope_len(rest));
}

uint64_t output_end(const struct output *output)
{
	return output->tail + output->bytes.len;
}

void output_release(struct output *output, uint64_t floor)
{
	uint64_t end = output_end(output);
	uint64_t to = floor < end ? floor : end;
	size_t n = to > output->tail ? (size_t)(to - output->tail) : 0;

	if (n >= OUTPUT_SLACK_BYTES || to == end)
		drop(output, n);
}
