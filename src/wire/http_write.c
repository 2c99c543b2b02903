// SPDX-License-Identifier: Apache-2.0
// What HTTP/1.1 messages are written with.

#include <stdio.h>

#include "wire/http1.h"
#include "wire/http_bytes.h"

int http_put_chunk(struct buf *out, struct span bytes)
{
	char size[24];
	int len = snprintf(size, sizeof(size), "%zx\r\n", bytes.len);

	if (len < 0 || bytes.len > SIZE_MAX - sizeof(size))
		return -E2BIG;
	/* The last chunk's CRLF ends its trailers, of which there are none. */
	TRY(buf_reserve(out, (size_t)len + bytes.len + 2));
	TRY(buf_put(out, span_of(size, (size_t)len)));
	TRY(buf_put(out, bytes));
	return buf_put_str(out, "\r\n");
}

int http_put_header(struct buf *out, const char *name, struct span value)
{
	struct span name_bytes = span_str(name);

	for (size_t i = 0; i < value.len; i++) {
		if (!http_is_text(value.ptr[i]))
			return -EINVAL;
	}
	if (!http_is_token(name_bytes) ||
	    value.len > SIZE_MAX - name_bytes.len - 4)
		return -EINVAL;
	TRY(buf_reserve(out, name_bytes.len + value.len + 4));
	TRY(buf_put(out, name_bytes));
	TRY(buf_put_str(out, ": "));
	TRY(buf_put(out, value));
	return buf_put_str(out, "\r\n");
}

const char *http_status_text(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} TEXTS[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 499, "Client Closed Request" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
		if (TEXTS[i].status == status)
			return TEXTS[i].text;
	}
	return "Unknown";
}
