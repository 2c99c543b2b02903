// SPDX-License-Identifier: Apache-2.0
// Proof: sources src/base/num.c src/base/span.c src/wire/http_bytes.c
// Proof: unwind 7
// Proof: without conversion-check classes and digits are cut to uint8_t
// Proof: without unsigned-overflow-check a digit's distance from '0' may wrap
// Proof: mutant src/wire/http_body.c s/LENGTH_MAX >> 4/LENGTH_MAX/
// Proof: mutant src/wire/http_body.c s/span_to(\*in, max < in->len ? (size_t)max : in->len)/span_to(*in, (size_t)max + 1)/
// Proof: mutant src/wire/http_body.c s/b->line_len == line_max/false/

/* The private states belong to the claim. */
#include "wire/http_body.c"

#include "proof.h"

enum { INPUT_MAX_BYTES = 5 };

static bool is_sound_chunked(const struct http_body *b)
{
	size_t line_max = b->state >= CHUNK_TRAILER_FIRST ?
				  HTTP_TRAILERS_MAX_BYTES :
				  HTTP_CHUNK_LINE_MAX_BYTES;

	return b->state >= CHUNK_REFUSED && b->state < CHUNK_STATE_COUNT &&
	       b->remaining <= HTTP_LENGTH_MAX && b->line_len <= line_max &&
	       (b->state != CHUNK_DATA || b->remaining > 0) &&
	       (b->state != CHUNK_END || b->is_done);
}

/* What http_body_init() makes true and http_body_next() keeps. */
static bool is_sound(const struct http_body *b)
{
	if (b->framing == HTTP_LENGTH)
		return b->is_done || b->remaining > 0;
	if (b->framing == HTTP_CHUNKED)
		return is_sound_chunked(b);
	return b->framing == HTTP_NO_BODY || b->framing == HTTP_UNTIL_CLOSE;
}

/* A piece that is not empty, within what was taken off @before, or none. */
static bool is_piece(struct span piece, struct span before, size_t taken, int r)
{
	if (r != 1)
		return piece.len == 0;
	return piece.len > 0 && piece.len <= taken && piece.ptr >= before.ptr &&
	       piece.ptr + piece.len <= before.ptr + taken;
}

/* Claim: from every sound body and for every input, http_body_next() reads
 * nothing but the input, keeps the body sound, hands out a piece that is not
 * empty exactly when it says so, takes off the front at least that piece, and
 * leaves input over only if it gave a piece, refused, or is done. */
void proof_http_body_next(void);
void proof_http_body_next(void)
{
	uint8_t bytes[INPUT_MAX_BYTES];
	struct http_body b;
	struct span piece = { 0 };
	struct span in = { .ptr = bytes };
	int r;

	proof_any(bytes);
	proof_any(b);
	proof_any(in.len);
	proof_assume(in.len <= sizeof(bytes));
	proof_assume(is_sound(&b));

	struct span before = in;
	bool was_done = b.is_done || b.framing == HTTP_NO_BODY;

	r = http_body_next(&b, &in, &piece);
	proof_assert(r == 1 || r == 0 || r == -EBADMSG);
	proof_assert(in.len <= before.len);
	proof_assert(is_piece(piece, before, before.len - in.len, r));
	if (was_done)
		proof_assert(r == 0 && in.len == before.len);
	else if (r == 0)
		proof_assert(in.len == 0 || b.is_done);
	if (r < 0)
		proof_assert(http_body_next(&b, &in, &piece) == r);
	else
		proof_assert(is_sound(&b));
}

PROOF_FUZZ(proof_http_body_next)
