// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 bodies.
//
// Theory. The lines of a chunked body, RFC 9112 7.1, are one table: state by
// class of byte. What the table does not name is a refusal, and a refusal is
// for good. Chunk data is not looked at: it is cut off by its length.

#include "base/num.h"
#include "wire/http1.h"
#include "wire/http_bytes.h"

enum {
	CHUNK_SIZE_DIGITS = 16, /* leading zeros included */
};

/* RFC 9112 7.1, without the blanks that it calls bad. */
enum chunk_state {
	CHUNK_REFUSED, /* zero: what the table does not name */
	CHUNK_SIZE_FIRST,
	CHUNK_SIZE,
	CHUNK_EXT_FIRST,
	CHUNK_EXT_NAME,
	CHUNK_EXT_VALUE_FIRST,
	CHUNK_EXT_VALUE,
	CHUNK_EXT_QUOTED,
	CHUNK_EXT_ESCAPE,
	CHUNK_EXT_QUOTE_END,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER_FIRST,
	CHUNK_TRAILER_NAME,
	CHUNK_TRAILER_VALUE,
	CHUNK_TRAILER_LF,
	CHUNK_END_LF,
	CHUNK_END,
	CHUNK_STATE_COUNT,
};

#define ON_TOKEN(to) [BYTE_HEX] = (to), [BYTE_TOKEN] = (to)
#define ON_TEXT(to)                                                            \
	ON_TOKEN(to), [BYTE_BLANK] = (to), [BYTE_COLON] = (to),                \
		      [BYTE_SEMICOLON] = (to), [BYTE_EQUALS] = (to),           \
		      [BYTE_TEXT] = (to)
#define ON_LINE_END                                                            \
	[BYTE_SEMICOLON] = CHUNK_EXT_FIRST, [BYTE_CR] = CHUNK_SIZE_LF

static const uint8_t CHUNK_MOVES[CHUNK_STATE_COUNT][BYTE_CLASS_COUNT] = {
	[CHUNK_SIZE_FIRST] = { [BYTE_HEX] = CHUNK_SIZE },
	[CHUNK_SIZE] = { [BYTE_HEX] = CHUNK_SIZE, ON_LINE_END },
	[CHUNK_EXT_FIRST] = { ON_TOKEN(CHUNK_EXT_NAME) },
	[CHUNK_EXT_NAME] = { ON_TOKEN(CHUNK_EXT_NAME),
			     [BYTE_EQUALS] = CHUNK_EXT_VALUE_FIRST,
			     ON_LINE_END },
	[CHUNK_EXT_VALUE_FIRST] = { ON_TOKEN(CHUNK_EXT_VALUE),
				    [BYTE_QUOTE] = CHUNK_EXT_QUOTED },
	[CHUNK_EXT_VALUE] = { ON_TOKEN(CHUNK_EXT_VALUE), ON_LINE_END },
	[CHUNK_EXT_QUOTED] = { ON_TEXT(CHUNK_EXT_QUOTED),
			       [BYTE_BACKSLASH] = CHUNK_EXT_ESCAPE,
			       [BYTE_QUOTE] = CHUNK_EXT_QUOTE_END },
	[CHUNK_EXT_ESCAPE] = { ON_TEXT(CHUNK_EXT_QUOTED),
			       [BYTE_BACKSLASH] = CHUNK_EXT_QUOTED,
			       [BYTE_QUOTE] = CHUNK_EXT_QUOTED },
	[CHUNK_EXT_QUOTE_END] = { ON_LINE_END },
	/* CHUNK_DATA or, behind a size of zero, the trailers: enter_chunk() */
	[CHUNK_SIZE_LF] = { [BYTE_LF] = CHUNK_DATA },
	[CHUNK_DATA_CR] = { [BYTE_CR] = CHUNK_DATA_LF },
	[CHUNK_DATA_LF] = { [BYTE_LF] = CHUNK_SIZE_FIRST },
	[CHUNK_TRAILER_FIRST] = { ON_TOKEN(CHUNK_TRAILER_NAME),
				  [BYTE_CR] = CHUNK_END_LF },
	[CHUNK_TRAILER_NAME] = { ON_TOKEN(CHUNK_TRAILER_NAME),
				 [BYTE_COLON] = CHUNK_TRAILER_VALUE },
	[CHUNK_TRAILER_VALUE] = { ON_TEXT(CHUNK_TRAILER_VALUE),
				  [BYTE_BACKSLASH] = CHUNK_TRAILER_VALUE,
				  [BYTE_QUOTE] = CHUNK_TRAILER_VALUE,
				  [BYTE_CR] = CHUNK_TRAILER_LF },
	[CHUNK_TRAILER_LF] = { [BYTE_LF] = CHUNK_TRAILER_FIRST },
	[CHUNK_END_LF] = { [BYTE_LF] = CHUNK_END },
};

void http_body_init(struct http_body *b, const struct http_head *head)
{
	*b = (struct http_body){
		.framing = head->framing,
		.state = CHUNK_SIZE_FIRST,
	};
	if (head->framing == HTTP_LENGTH)
		b->remaining = head->content_length;
	b->is_done = head->framing == HTTP_NO_BODY ||
		     (head->framing == HTTP_LENGTH && b->remaining == 0);
}

/* Behind a size line: a chunk's bytes, or the trailers behind the last. */
static void enter_chunk(struct http_body *b)
{
	b->line_len = 0;
	if (b->remaining == 0)
		b->state = CHUNK_TRAILER_FIRST;
}

/* A size is no place for padding: longer ones serve only to differ. */
static int add_size_digit(struct http_body *b, uint8_t digit)
{
	uint64_t value = 0;

	TRY(num_parse_hex(span_of(&digit, 1), &value));
	if (b->line_len > CHUNK_SIZE_DIGITS ||
	    b->remaining > HTTP_LENGTH_MAX >> 4)
		return -EBADMSG;
	b->remaining = b->remaining << 4 | value;
	return 0;
}

/* One byte of a size line, of the trailers, or of the CRLF behind data. */
static int take_line_byte(struct http_body *b, uint8_t c)
{
	size_t line_max = b->state >= CHUNK_TRAILER_FIRST ?
				  HTTP_TRAILERS_MAX_BYTES :
				  HTTP_CHUNK_LINE_MAX_BYTES;

	if (b->line_len == line_max)
		return -EBADMSG;
	b->line_len++;
	b->state = CHUNK_MOVES[b->state][HTTP_BYTE_CLASSES[c]];
	switch (b->state) {
	case CHUNK_REFUSED:
		return -EBADMSG;
	case CHUNK_SIZE:
		return add_size_digit(b, c);
	case CHUNK_SIZE_FIRST:
		b->line_len = 0;
		return 0;
	case CHUNK_DATA:
		enter_chunk(b);
		return 0;
	case CHUNK_END:
		b->is_done = true;
		return 0;
	default:
		return 0;
	}
}

/* Takes lines until data or the end comes; 0 if more input is needed. */
static int take_lines(struct http_body *b, struct span *in)
{
	while (!b->is_done && b->state != CHUNK_DATA && in->len > 0) {
		uint8_t c = in->ptr[0];

		*in = span_from(*in, 1);
		if (take_line_byte(b, c) < 0) {
			b->state = CHUNK_REFUSED;
			return -EBADMSG;
		}
	}
	return 0;
}

static struct span take_piece(struct span *in, uint64_t max)
{
	struct span piece = span_to(*in, max < in->len ? (size_t)max : in->len);

	*in = span_from(*in, piece.len);
	return piece;
}

/* Cuts a piece off the bytes that remain, of which there are some. */
static void take_remaining(struct http_body *b, struct span *in,
			   struct span *ret)
{
	*ret = take_piece(in, b->remaining);
	b->remaining -= ret->len;
	if (b->remaining > 0)
		return;
	if (b->framing == HTTP_CHUNKED)
		b->state = CHUNK_DATA_CR;
	else
		b->is_done = true;
}

int http_body_next(struct http_body *b, struct span *in, struct span *ret)
{
	if (b->is_done || b->framing == HTTP_NO_BODY)
		return 0;
	if (b->framing == HTTP_CHUNKED) {
		if (b->state == CHUNK_REFUSED)
			return -EBADMSG;
		TRY(take_lines(b, in));
	}
	if (b->is_done || in->len == 0)
		return 0;
	if (b->framing == HTTP_UNTIL_CLOSE)
		*ret = take_piece(in, UINT64_MAX);
	else
		take_remaining(b, in, ret);
	return 1;
}
