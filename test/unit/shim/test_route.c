// SPDX-License-Identifier: Apache-2.0
#include "shim/route.h"

#include "tap.h"

static struct http_head head;

static enum route_kind find(const char *method, const char *path)
{
	head = (struct http_head){
		.method = span_str(method),
		.path = span_str(path),
	};
	return route_find(&head);
}

TEST(each_path_has_its_kind)
{
	CHECK_EQ(find("GET", "/health"), ROUTE_HEALTH);
	CHECK_EQ(find("GET", "/metrics"), ROUTE_PLAIN);
	CHECK_EQ(find("GET", "/envs"), ROUTE_PLAIN);
	CHECK_EQ(find("GET", "/files"), ROUTE_PLAIN);
	CHECK_EQ(find("POST", "/files"), ROUTE_PLAIN);
	CHECK_EQ(find("POST", "/process.Process/Start"), ROUTE_START);
	CHECK_EQ(find("POST", "/process.Process/Connect"), ROUTE_CONNECT);
	CHECK_EQ(find("POST", "/process.Process/List"), ROUTE_RPC);
	CHECK_EQ(find("POST", "/filesystem.Filesystem/WatchDir"), ROUTE_RPC);
}

TEST(nothing_else_is_found)
{
	static const char *const paths[] = {
		"/init",
		"",
		"/",
		"/health/",
		"/Health",
		"/files/x",
		"/process.Process/",
		"/process.Process/Sta%72t",
		"/process.Process/Start/",
		"/process.Process/../init",
		"/filesystem.Filesystem/A.B",
		"/process.process/Start",
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CHECK_EQ(find("GET", paths[i]), ROUTE_NONE);
		CHECK_EQ(find("POST", paths[i]), ROUTE_NONE);
	}
	CHECK_EQ(find("POST", "/health"), ROUTE_NONE);
	CHECK_EQ(find("GET", "/process.Process/Start"), ROUTE_NONE);
	CHECK_EQ(find("HEAD", "/files"), ROUTE_NONE);
}

static void put_header(const char *name, const char *value)
{
	head.headers[head.header_count++] = (struct http_header){
		.name = span_str(name),
		.value = span_str(value),
	};
}

TEST(only_listed_request_headers_travel)
{
	struct buf out = BUF_EMPTY(4096);

	head = (struct http_head){ 0 };
	put_header("Host", "evil.example");
	put_header("X-API-Key", "e2b_secret");
	put_header("Cookie", "a=b");
	put_header("Authorization", "Bearer secret");
	put_header("Connection", "keep-alive");
	put_header("Transfer-Encoding", "chunked");
	put_header("X-Metadata-Owner", "me");
	put_header("X-Metadata-", "empty name");
	put_header("Connect-Timeout-Ms", "5");
	put_header("CONTENT-TYPE", "text/plain");
	CHECK_EQ(route_put_request_headers(&head, &out), 0);
	CHECK_STR(buf_cstr(&out), "Host: sandbox\r\n"
				  "X-Metadata-Owner: me\r\n"
				  "Connect-Timeout-Ms: 5\r\n"
				  "CONTENT-TYPE: text/plain\r\n");
	out.len = 0;
	head = (struct http_head){ 0 };
	put_header("authorization", "basic cm9vdDo=");
	CHECK_EQ(route_put_request_headers(&head, &out), 0);
	CHECK_STR(buf_cstr(&out), "Host: sandbox\r\n"
				  "Authorization: basic cm9vdDo=\r\n");
	buf_fini(&out);
}

TEST(only_listed_response_headers_travel)
{
	struct buf out = BUF_EMPTY(4096);

	head = (struct http_head){ 0 };
	put_header("Set-Cookie", "a=b");
	put_header("Content-Length", "5");
	put_header("Strict-Transport-Security", "max-age=1");
	put_header("Content-Range", "bytes 0-1/2");
	CHECK_EQ(route_put_response_headers(&head, &out), 0);
	CHECK_STR(buf_cstr(&out), "Content-Range: bytes 0-1/2\r\n");
	buf_fini(&out);
}

TESTS(RUN(each_path_has_its_kind), RUN(nothing_else_is_found),
      RUN(only_listed_request_headers_travel),
      RUN(only_listed_response_headers_travel))
