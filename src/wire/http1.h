/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 messages: one codec for daemon, shim, agent, client and broker.
 *
 * Theory. Heads are parsed in one go from the bytes collected so far; the
 * answer is whole, partial or bad. Bodies are decoded piece by piece. Nothing
 * is copied or allocated: views point into the caller's bytes. Requests are
 * parsed strictly; responses have a written list of leniencies. Whoever
 * forwards a message writes it anew from the parsed head, never the bytes.
 *
 * Strict on requests (each a 400): bare LF or CR, obs-fold, space before the
 * colon, empty or non-token names, control bytes, NUL, an empty line before
 * the request, Content-Length with Transfer-Encoding, repeated Content-Length
 * or Transfer-Encoding or Host, any transfer coding but exactly "chunked"
 * (501 if "chunked" comes last), any in 1.0, lengths that are not plain
 * digits up to 2^63-1, no or several Host in 1.1, a Host with bytes that no
 * host has, versions other than 1.0 and 1.1 (505), CONNECT, a target that is
 * not origin-form (absolute-form and "*" are not) or holds '#' or non-ASCII.
 * Responses obey the same, with these leniencies: the reason phrase may be
 * empty or missing; repeated equal Content-Length counts once; without a
 * length the body reads until close.
 * Chunks: sizes of 16 digits at most, no blanks around them and extensions;
 * trailers are checked, bounded and dropped.
 *
 * Spec: RFC 9110, RFC 9112
 */
#ifndef CPN_WIRE_HTTP1_H
#define CPN_WIRE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/span.h"

enum {
	HTTP_HEAD_MAX_BYTES = 16384,
	HTTP_HEADERS_MAX = 64,
	HTTP_CHUNK_LINE_MAX_BYTES = 256, /* size line with extension */
	HTTP_TRAILERS_MAX_BYTES = 4096,	 /* read and dropped */
};

/* A body whose length is not announced: chunked, or until close. */
#define HTTP_LENGTH_UNKNOWN UINT64_MAX

enum http_framing {
	HTTP_NO_BODY,
	HTTP_LENGTH,
	HTTP_CHUNKED,
	HTTP_UNTIL_CLOSE, /* responses only */
};

struct http_header {
	struct span name;
	struct span value; /* without surrounding blanks */
};

struct http_head {
	/* requests */
	struct span method;
	struct span target; /* origin-form as sent */
	struct span path;   /* target up to '?', still percent-encoded */
	struct span query;  /* behind '?', may be empty */
	/* responses */
	unsigned status;
	struct span reason;
	/* both */
	unsigned minor; /* HTTP/1.minor */
	enum http_framing framing;
	uint64_t content_length; /* HTTP_LENGTH */
	bool is_keep_alive;
	bool expects_continue;
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t header_count;
};

/* How far a head's end was searched; zeroed before its first byte. */
struct http_scan {
	int state; /* private */
	size_t bytes;
};

/**
 * http_scan_head() - search a head's end without looking at a byte twice
 * @scan:     where the search stands; unspecified after a failure
 * @in:       the next bytes received; untrusted
 * @ret_used: bytes of @in that belong to the head, blank line included
 *
 * For a connection that collects a head: scan what arrives, keep *@ret_used
 * bytes of it, and parse once, when the end was found.
 *
 * Return: 1 if the head ends in @in; 0 if all of @in belongs to it and more
 * is needed; -EBADMSG for bare CR, bare LF, control bytes and an empty first
 * line; -E2BIG past HTTP_HEAD_MAX_BYTES.
 * Context: any thread, allocates nothing.
 */
int http_scan_head(struct http_scan *scan, struct span in,
		   size_t *ret_used) MUST_CHECK;

/**
 * http_parse_request() - parse a request's head
 * @in:       bytes received so far, from the message's first byte; untrusted
 * @ret:      the head, its views into @in; unspecified unless 1 is returned
 * @ret_used: bytes of @in that the head takes, blank line included
 *
 * Return: 1 if whole; 0 if more bytes are needed; -EBADMSG if malformed
 * (answer 400 and close); -E2BIG past HTTP_HEAD_MAX_BYTES or HTTP_HEADERS_MAX
 * (answer 431); -EPROTONOSUPPORT for another version (505); -ENOSYS for a
 * transfer coding other than chunked (501).
 * Context: any thread, allocates nothing.
 * Proof: test/fuzz/fuzz_http1.c, test/unit/wire/test_http1.c
 */
int http_parse_request(struct span in, struct http_head *ret,
		       size_t *ret_used) MUST_CHECK;

/**
 * http_parse_response() - parse a response's head
 * @in:       as for http_parse_request()
 * @to_head:  whether the request was HEAD, whose answer has no body
 * @ret:      as for http_parse_request(); 1xx heads are returned too
 * @ret_used: as for http_parse_request()
 *
 * Return: as http_parse_request().
 * Context: any thread, allocates nothing.
 */
int http_parse_response(struct span in, bool to_head, struct http_head *ret,
			size_t *ret_used) MUST_CHECK;

/**
 * http_find() - a header's value by name, without case
 * @ret: the value; untouched if absent
 *
 * Return: true if present (the first one, if repeated).
 * Context: any thread.
 */
bool http_find(const struct http_head *head, const char *name,
	       struct span *ret);

/**
 * http_query_get() - a parameter of a query string, percent-decoded
 * @query:   as in struct http_head; untrusted; '+' means a space; names are
 *           decoded, too
 * @name:    the parameter's name
 * @ret:     receives the decoded value of the first match as a C string
 * @ret_cap: size of @ret in bytes
 *
 * Return: 1 if found; 0 if absent; -EBADMSG for broken escapes in the value
 * or in a name before it, or a decoded NUL; -ENAMETOOLONG if it does not fit.
 * @ret is unspecified unless 1 is returned.
 * Context: any thread, allocates nothing.
 */
int http_query_get(struct span query, const char *name, char *ret,
		   size_t ret_cap) MUST_CHECK;

/* A body being decoded. Zeroed means HTTP_NO_BODY. */
struct http_body {
	enum http_framing framing;
	int state;	    /* chunked: private */
	uint64_t remaining; /* of the length or of the chunk */
	size_t line_len;    /* of the size line or the trailers */
	bool is_done;
};

/**
 * http_body_init() - start decoding the body behind a head
 * Context: any thread.
 */
void http_body_init(struct http_body *b, const struct http_head *head);

/**
 * http_body_next() - decode the next piece of a body
 * @in:  untrusted; consumed bytes are cut off its front
 * @ret: a view into the consumed bytes; not empty when 1 is returned,
 *       untouched otherwise
 *
 * HTTP_UNTIL_CLOSE ends when the caller sees the end of file: it sets
 * @b->is_done itself.
 *
 * Return: 1 with a piece; 0 if more input is needed or @b->is_done;
 * -EBADMSG for broken framing, now and at every later call.
 * Context: any thread, allocates nothing.
 */
int http_body_next(struct http_body *b, struct span *in,
		   struct span *ret) MUST_CHECK;

/**
 * http_put_chunk() - append one chunk; an empty @bytes appends the last chunk
 *
 * Return: as buf_put().
 * Context: any thread; may allocate.
 */
int http_put_chunk(struct buf *out, struct span bytes) MUST_CHECK;

/**
 * http_put_header() - append "Name: value" to a head being written
 * @name:  a token; ours
 * @value: untrusted; refused if it holds a control byte (tabs are none)
 *
 * Return: as buf_put(), or -EINVAL.
 * Context: any thread; may allocate.
 */
int http_put_header(struct buf *out, const char *name,
		    struct span value) MUST_CHECK;

/**
 * http_status_text() - the usual reason phrase of a status
 *
 * Return: a constant; "Unknown" for statuses not in the table.
 * Context: any thread.
 */
const char *http_status_text(unsigned status);

#endif
