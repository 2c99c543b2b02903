// SPDX-License-Identifier: Apache-2.0
// What clients may ask of a sandbox's agent, and which headers travel.

#include "shim/route.h"

/* A path that ends in '/' stands for every single name below it. */
static const struct {
	const char *method;
	const char *path;
	enum route_kind kind;
} routes[] = {
	{ "GET", "/health", ROUTE_HEALTH },
	{ "GET", "/metrics", ROUTE_PLAIN },
	{ "GET", "/envs", ROUTE_PLAIN },
	{ "GET", "/files", ROUTE_PLAIN },
	{ "POST", "/files", ROUTE_PLAIN },
	{ "POST", "/process.Process/Start", ROUTE_START },
	{ "POST", "/process.Process/Connect", ROUTE_CONNECT },
	{ "POST", "/process.Process/", ROUTE_RPC },
	{ "POST", "/filesystem.Filesystem/", ROUTE_RPC },
};

/* A name that ends in '-' stands for every name that begins so. */
static const char *const request_headers[] = {
	"accept",
	"accept-encoding",
	"connect-",
	"content-encoding",
	"content-type",
	"if-range",
	"keepalive-ping-interval",
	"range",
	"user-agent",
	"x-access-token",
	"x-metadata-",
};

static const char *const response_headers[] = {
	"accept-ranges",    "cache-control",
	"connect-",	    "content-disposition",
	"content-encoding", "content-range",
	"content-type",	    "etag",
	"last-modified",    "vary",
};

static bool is_name(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i] | 0x20;

		if (c < 'a' || c > 'z')
			return false;
	}
	return text.len != 0;
}

static bool is_path(struct span path, const char *pattern)
{
	size_t len = span_str(pattern).len;

	if (pattern[len - 1] != '/')
		return span_is(path, pattern);
	return span_starts(path, pattern) && is_name(span_from(path, len));
}

enum route_kind route_find(const struct http_head *head)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (span_is(head->method, routes[i].method) &&
		    is_path(head->path, routes[i].path))
			return routes[i].kind;
	}
	return ROUTE_NONE;
}

bool route_is_rpc(enum route_kind kind)
{
	return kind == ROUTE_RPC || kind == ROUTE_START ||
	       kind == ROUTE_CONNECT;
}

static bool is_meant(struct span name, const char *pattern)
{
	size_t len = span_str(pattern).len;

	if (pattern[len - 1] != '-')
		return span_is_nocase(name, pattern);
	return name.len > len && span_is_nocase(span_to(name, len), pattern);
}

static bool is_listed(struct span name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_meant(name, names[i]))
			return true;
	}
	return false;
}

/* The name was checked to be a token when the head was parsed. */
static int put_line(struct buf *out, const struct http_header *header)
{
	TRY(buf_put(out, header->name));
	TRY(buf_put_str(out, ": "));
	TRY(buf_put(out, header->value));
	return buf_put_str(out, "\r\n");
}

static int put_listed(const struct http_head *head, const char *const *names,
		      size_t count, struct buf *out)
{
	for (size_t i = 0; i < head->header_count; i++) {
		if (is_listed(head->headers[i].name, names, count))
			TRY(put_line(out, &head->headers[i]));
	}
	return 0;
}

/* Basic carries a user's name for the agent; any other scheme may carry a
 * secret of the client's. */
static int put_basic(const struct http_head *head, struct buf *out)
{
	struct span value = { 0 };

	if (!http_find(head, "authorization", &value) ||
	    !span_is_nocase(span_to(value, 6), "basic "))
		return 0;
	return http_put_header(out, "Authorization", value);
}

int route_put_request_headers(const struct http_head *head, struct buf *out)
{
	TRY(http_put_header(out, "Host", span_str("sandbox")));
	TRY(put_basic(head, out));
	return put_listed(head, request_headers, ARRAY_LEN(request_headers),
			  out);
}

int route_put_response_headers(const struct http_head *head, struct buf *out)
{
	return put_listed(head, response_headers, ARRAY_LEN(response_headers),
			  out);
}
