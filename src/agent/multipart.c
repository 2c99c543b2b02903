// SPDX-License-Identifier: Apache-2.0
// multipart/form-data, taken apart as it streams by.

#include "agent/multipart.h"

#include <string.h>

enum state {
	STATE_PREAMBLE,	 /* before the first delimiter: dropped */
	STATE_DELIMITER, /* behind one: CRLF or "--" */
	STATE_LAST,	 /* one '-' seen behind it */
	STATE_LINE_END,	 /* CR seen behind it */
	STATE_HEAD,
	STATE_BODY,
	STATE_EPILOGUE, /* dropped */
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span skip_blanks(struct span s)
{
	while (s.len != 0 && is_blank(s.ptr[0]))
		s = span_from(s, 1);
	return s;
}

static bool starts_nocase(struct span s, const char *prefix)
{
	return span_is_nocase(span_to(s, strlen(prefix)), prefix);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ---- parameters: ; name=token, ; name="quoted" ---- */

/* As Go does it: in quotes these two are escaped, and nothing else. */
static bool is_escape(struct span s)
{
	return s.len > 1 && s.ptr[0] == '\\' &&
	       (s.ptr[1] == '"' || s.ptr[1] == '\\');
}

static bool is_value_end(bool is_quoted, uint8_t c)
{
	return is_quoted ? c == '"' : c == ';' || is_blank(c);
}

/* A quoted string or token into @dst. The rest stays in @s. */
static int take_value(struct span *s, char *dst, size_t cap)
{
	bool is_quoted = s->len != 0 && s->ptr[0] == '"';
	size_t n = 0;

	*s = span_from(*s, is_quoted);
	while (s->len != 0 && !is_value_end(is_quoted, s->ptr[0])) {
		if (is_quoted && is_escape(*s))
			*s = span_from(*s, 1);
		if (s->ptr[0] == '\0' || n + 1 >= cap)
			return -EBADMSG;
		dst[n++] = (char)s->ptr[0];
		*s = span_from(*s, 1);
	}
	if (is_quoted && s->len == 0)
		return -EBADMSG;
	*s = span_from(*s, is_quoted);
	dst[n] = '\0';
	return 0;
}

/* "%41" as a byte above zero, or -EBADMSG. */
static int escaped_byte(const char *at)
{
	int high = hex_digit((uint8_t)at[1]);
	int low = high < 0 ? -1 : hex_digit((uint8_t)at[2]);

	return low < 0 || high + low == 0 ? -EBADMSG : high * 16 + low;
}

/* RFC 5987: UTF-8''percent-encoded, in place. */
static int decode_extended(char *value)
{
	const char *from = value;
	char *to = value;

	if (!starts_nocase(span_str(value), "utf-8'"))
		return -EBADMSG;
	from = strchr(value + 6, '\'');
	if (from == NULL)
		return -EBADMSG;
	for (from++; *from != '\0'; from++) {
		int byte = *from == '%' ? escaped_byte(from) : (uint8_t)*from;

		if (byte == -EBADMSG)
			return -EBADMSG;
		from += *from == '%' ? 2 : 0;
		*to++ = (char)byte;
	}
	*to = '\0';
	return 0;
}

/* Skips to the next of the two, or to the end. */
static struct span skip_to(struct span s, uint8_t a, uint8_t b)
{
	while (s.len != 0 && s.ptr[0] != a && s.ptr[0] != b)
		s = span_from(s, 1);
	return s;
}

/* The parameter @name of a header's value. Return: 1 if found, 0 if absent. */
static int find_parameter(struct span value, const char *name, char *dst,
			  size_t cap)
{
	char other[PATH_MAX];
	size_t name_len = strlen(name);

	for (;;) {
		value = skip_to(value, ';', ';');
		value = skip_blanks(span_from(value, 1));
		if (value.len == 0)
			return 0;
		if (value.len > name_len && starts_nocase(value, name) &&
		    value.ptr[name_len] == '=') {
			value = span_from(value, name_len + 1);
			TRY(take_value(&value, dst, cap));
			return 1;
		}
		/* Over another one, quotes and all. */
		value = skip_to(value, '=', ';');
		if (value.len != 0 && value.ptr[0] == '=') {
			value = span_from(value, 1);
			TRY(take_value(&value, other, sizeof(other)));
		}
	}
}

/* ---- a part's headers ---- */

static int read_disposition(struct multipart *m, struct span value)
{
	int r = 0;

	if (!starts_nocase(skip_blanks(value), "form-data"))
		return -EBADMSG;
	TRY(find_parameter(value, "name", m->name, sizeof(m->name)));
	r = find_parameter(value, "filename*", m->filename,
			   sizeof(m->filename));
	TRY(r);
	if (r == 1)
		return decode_extended(m->filename);
	TRY(find_parameter(value, "filename", m->filename,
			   sizeof(m->filename)));
	return 0;
}

static int read_head(struct multipart *m)
{
	static const char NAME[] = "Content-Disposition:";
	struct span head = span_of(m->head, m->head_len);

	m->name[0] = '\0';
	m->filename[0] = '\0';
	while (head.len != 0) {
		const uint8_t *end = memchr(head.ptr, '\r', head.len);
		size_t len = end == NULL ? head.len : (size_t)(end - head.ptr);
		struct span line = span_to(head, len);

		if (starts_nocase(line, NAME))
			return read_disposition(m, span_from(line,
							     sizeof(NAME) - 1));
		head = span_from(head, len + 2);
	}
	return -EBADMSG;
}

/* ---- the stream ---- */

int multipart_init(struct multipart *m, struct span type)
{
	char boundary[MULTIPART_BOUNDARY_MAX_BYTES + 1];
	size_t len = 0;

	memset(m, 0, sizeof(*m));
	if (!starts_nocase(type, "multipart/form-data") ||
	    find_parameter(type, "boundary", boundary, sizeof(boundary)) != 1)
		return -EINVAL;
	len = strlen(boundary);
	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (boundary[i] <= ' ' || boundary[i] > '~')
			return -EINVAL;
	}
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary, len + 1);
	m->delimiter_len = len + 4;
	m->state = STATE_PREAMBLE;
	m->matched = 2; /* the body's beginning counts as a line's */
	return 0;
}

/*
 * Takes bytes up to a delimiter or the input's end. Return: 1 with bytes that
 * are the part's, 0 if the input is used up, 2 with a whole delimiter.
 */
static int take_until_delimiter(struct multipart *m, struct span *in,
				struct span *ret)
{
	const uint8_t *cr = NULL;
	size_t held = m->matched;

	while (in->len != 0 && m->matched != 0) {
		if (in->ptr[0] != (uint8_t)m->delimiter[m->matched]) {
			/* It was the part's own, up to here. */
			m->matched = 0;
			*ret = span_of(m->delimiter, held);
			return 1;
		}
		*in = span_from(*in, 1);
		held = ++m->matched;
		if (m->matched == m->delimiter_len) {
			m->matched = 0;
			return 2;
		}
	}
	if (in->len == 0)
		return 0;
	cr = memchr(in->ptr, '\r', in->len);
	if (cr == in->ptr) {
		m->matched = 1;
		*in = span_from(*in, 1);
		return take_until_delimiter(m, in, ret);
	}
	*ret = span_to(*in, cr == NULL ? in->len : (size_t)(cr - in->ptr));
	*in = span_from(*in, ret->len);
	return 1;
}

/* Behind a delimiter: padding, then CRLF or "--". */
static int take_delimiter_end(struct multipart *m, struct span *in)
{
	while (in->len != 0) {
		uint8_t c = in->ptr[0];

		*in = span_from(*in, 1);
		if (m->state == STATE_DELIMITER && c == '-') {
			m->state = STATE_LAST;
		} else if (m->state == STATE_DELIMITER && c == '\r') {
			m->state = STATE_LINE_END;
		} else if (m->state == STATE_LAST && c == '-') {
			m->state = STATE_EPILOGUE;
			m->is_complete = true;
			return 0;
		} else if (m->state == STATE_LINE_END && c == '\n') {
			m->state = STATE_HEAD;
			m->head_len = 0;
			return 0;
		} else if (m->state != STATE_DELIMITER || !is_blank(c)) {
			return -EBADMSG;
		}
	}
	return 0;
}

/* Return: 1 when the head is whole and read. */
static int take_head(struct multipart *m, struct span *in)
{
	while (in->len != 0) {
		if (m->head_len == sizeof(m->head))
			return -E2BIG;
		m->head[m->head_len++] = (char)in->ptr[0];
		*in = span_from(*in, 1);
		if (m->head_len >= 4 &&
		    memcmp(m->head + m->head_len - 4, "\r\n\r\n", 4) == 0) {
			TRY(read_head(m));
			m->state = STATE_BODY;
			return 1;
		}
	}
	return 0;
}

static int take_body(struct multipart *m, struct span *in,
		     enum multipart_event *ret_event, struct span *ret_bytes)
{
	int r = take_until_delimiter(m, in, ret_bytes);

	if (r == 0)
		return 0;
	*ret_event = r == 1 ? MULTIPART_BYTES : MULTIPART_END;
	if (r == 2)
		m->state = STATE_DELIMITER;
	return 1;
}

int multipart_next(struct multipart *m, struct span *in,
		   enum multipart_event *ret_event, struct span *ret_bytes)
{
	struct span dropped = span_of(NULL, 0);
	int r = 0;

	while (in->len != 0) {
		switch ((enum state)m->state) {
		case STATE_PREAMBLE:
			if (take_until_delimiter(m, in, &dropped) == 2)
				m->state = STATE_DELIMITER;
			break;
		case STATE_DELIMITER:
		case STATE_LAST:
		case STATE_LINE_END:
			TRY(take_delimiter_end(m, in));
			break;
		case STATE_HEAD:
			*ret_event = MULTIPART_PART;
			r = take_head(m, in);
			if (r != 0)
				return r;
			break;
		case STATE_BODY:
			r = take_body(m, in, ret_event, ret_bytes);
			if (r != 0)
				return r;
			break;
		case STATE_EPILOGUE:
			*in = span_from(*in, in->len);
			break;
		}
	}
	return 0;
}
