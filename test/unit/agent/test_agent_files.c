// SPDX-License-Identifier: Apache-2.0
// Files through a real agent: up, down, ranges, hostile names, no space.
//
// Works below /tmp/caponier-files, a small tmpfs in a mount namespace of its
// own (see meson.build).

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "bench.h"

#include "base/rng.h"

#define ROOT "/tmp/caponier-files"
#define OCTETS "application/octet-stream"
#define FORM "multipart/form-data; boundary=XX"
#define PART(filename)                                                         \
	"--XX\r\nContent-Disposition: form-data; name=\"file\"; "              \
	"filename=\"" filename "\"\r\n\r\n"

enum { SPACE_BYTES = 33554432 };

static void files_begin(struct bench *b)
{
	(void)umount2(ROOT, MNT_DETACH);
	(void)mkdir(ROOT, 0755);
	if (mount("tmpfs", ROOT, "tmpfs", 0, "size=32m,mode=755") < 0)
		abort();
	bench_begin(b, true);
}

static struct reply *put(struct bench *b, const char *target, const char *type,
			 struct span body)
{
	struct reply *r = client_request(&b->client, "POST", target, type, body,
					 false);

	CHECK(reply_wait(r));
	return r;
}

static struct reply *get(struct bench *b, const char *target, const char *range)
{
	struct reply *r = NULL;

	b->client.extra = range;
	r = client_request(&b->client, "GET", target, NULL, span_of(NULL, 0),
			   false);
	b->client.extra = NULL;
	CHECK(reply_wait(r));
	return r;
}

static unsigned status_of(struct reply *r)
{
	unsigned status = r->status;

	reply_free(r);
	return status;
}

TEST(a_file_goes_in_and_comes_out)
{
	struct bench b;
	struct reply *r = NULL;
	struct stat st = { 0 };

	files_begin(&b);
	r = put(&b, "/files?path=" ROOT "/new/dir/a.txt&username=nobody",
		OCTETS, span_str("hello"));
	CHECK_EQ(r->status, 200);
	CHECK(is_text(&r->body, "[{\"path\":\"" ROOT "/new/dir/a.txt\","
				"\"name\":\"a.txt\",\"type\":\"file\"}]"));
	reply_free(r);
	CHECK_EQ(stat(ROOT "/new/dir/a.txt", &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0644);
	CHECK_EQ(st.st_uid, 65534);
	CHECK_EQ(stat(ROOT "/new", &st), 0);
	CHECK_EQ(st.st_uid, 65534);
	r = get(&b, "/files?path=" ROOT "/new/dir/a.txt", NULL);
	CHECK_EQ(r->status, 200);
	CHECK(is_text(&r->body, "hello"));
	CHECK(strstr(buf_cstr(&r->headers),
		     "Content-Disposition: inline; filename=\"a.txt\"") !=
	      NULL);
	reply_free(r);
	bench_end(&b);
}

TEST(a_form_brings_several_files)
{
	struct bench b;
	struct reply *r = NULL;

	files_begin(&b);
	r = put(&b, "/files", FORM,
		span_str(PART(ROOT "/x/1") "one\r\n" PART(
			ROOT "/x/2") "two\r\n--XX--\r\n"));
	CHECK_EQ(r->status, 200);
	reply_free(r);
	r = get(&b, "/files?path=" ROOT "/x/2", NULL);
	CHECK(is_text(&r->body, "two"));
	reply_free(r);
	/* One path for two files is refused. */
	CHECK_EQ(status_of(put(&b, "/files?path=" ROOT "/same", FORM,
			       span_str(PART("a") "1\r\n" PART(
				       "b") "2\r\n--XX--\r\n"))),
		 400);
	/* A form that is cut short leaves no half file. */
	CHECK_EQ(status_of(put(&b, "/files?path=" ROOT "/y/half", FORM,
			       span_str(PART("a") "1234"))),
		 400);
	CHECK_EQ(count_entries(ROOT "/y"), 0);
	bench_end(&b);
}

TEST(replacing_keeps_the_mode_and_follows_links)
{
	struct bench b;
	struct stat st = { 0 };

	files_begin(&b);
	CHECK_EQ(fd_write_file(AT_FDCWD, ROOT "/script", 0755, span_str("x")),
		 0);
	CHECK_EQ(symlink("script", ROOT "/link"), 0);
	CHECK_EQ(status_of(put(&b, "/files?path=" ROOT "/link", OCTETS,
			       span_str("longer"))),
		 200);
	CHECK_EQ(lstat(ROOT "/link", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(stat(ROOT "/script", &st), 0);
	CHECK_EQ(st.st_size, 6);
	CHECK_EQ(st.st_mode & 07777, 0755);
	bench_end(&b);
}

TEST(ranges)
{
	static const struct {
		const char *header;
		unsigned status;
		const char *body;
	} cases[] = {
		{ "Range: bytes=0-3\r\n", 206, "0123" },
		{ "Range: bytes=8-\r\n", 206, "89" },
		{ "Range: bytes=-3\r\n", 206, "789" },
		{ "Range: bytes=-99\r\n", 206, "0123456789" },
		{ "Range: bytes=5-99\r\n", 206, "56789" },
		{ "Range: bytes=10-\r\n", 416, "" },
		{ "Range: bytes=-0\r\n", 416, "" },
		{ "Range: bytes=0-1,3-4\r\n", 200, "0123456789" },
		{ "Range: lines=1-2\r\n", 200, "0123456789" },
		{ "Range: bytes=5-2\r\n", 200, "0123456789" },
	};
	struct bench b;

	files_begin(&b);
	CHECK_EQ(fd_write_file(AT_FDCWD, ROOT "/d", 0644,
			       span_str("0123456789")),
		 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reply *r = get(&b, "/files?path=" ROOT "/d",
				      cases[i].header);

		CHECK_EQ(r->status, cases[i].status);
		CHECK(is_text(&r->body, cases[i].body));
		reply_free(r);
	}
	bench_end(&b);
}

TEST(what_cannot_be_downloaded_says_why)
{
	struct bench b;
	struct reply *r = NULL;

	files_begin(&b);
	r = get(&b, "/files?path=" ROOT "/none", NULL);
	CHECK_EQ(r->status, 404);
	CHECK(is_text(&r->body, "{\"code\":404,\"message\":\"path '" ROOT
				"/none' does not exist\"}"));
	reply_free(r);
	CHECK_EQ(status_of(get(&b, "/files?path=" ROOT, NULL)), 400);
	CHECK_EQ(status_of(get(&b, "/files?path=/dev/zero", NULL)), 400);
	CHECK_EQ(mkfifo(ROOT "/fifo", 0600), 0);
	CHECK_EQ(status_of(get(&b, "/files?path=" ROOT "/fifo", NULL)), 400);
	CHECK_EQ(status_of(get(&b, "/files?path=/x&username=nosuch", NULL)),
		 401);
	/* A file of /proc has no size, and yet bytes; an empty one has none. */
	r = get(&b, "/files?path=/proc/self/stat", NULL);
	CHECK_EQ(r->status, 200);
	CHECK(r->body.len > 10);
	reply_free(r);
	CHECK_EQ(fd_write_file(AT_FDCWD, ROOT "/empty", 0644, span_of(NULL, 0)),
		 0);
	r = get(&b, "/files?path=" ROOT "/empty", NULL);
	CHECK(strstr(buf_cstr(&r->headers), "Content-Length: 0") != NULL);
	reply_free(r);
	bench_end(&b);
}

TEST(hostile_names)
{
	struct bench b;
	struct reply *r = NULL;
	char target[8192];

	files_begin(&b);
	/* NUL, broken escapes, a name and a path too long, somebody's home */
	CHECK_EQ(status_of(get(&b, "/files?path=/etc/pass%00wd", NULL)), 400);
	CHECK_EQ(status_of(get(&b, "/files?path=%zz", NULL)), 400);
	CHECK_EQ(status_of(get(&b, "/files?path=~root/x", NULL)), 400);
	(void)snprintf(target, sizeof(target), "/files?path=" ROOT "/%0300d",
		       1);
	CHECK_EQ(status_of(put(&b, target, OCTETS, span_str("x"))), 400);
	(void)snprintf(target, sizeof(target), "/files?path=" ROOT "/%05000d",
		       1);
	CHECK_EQ(status_of(put(&b, target, OCTETS, span_str("x"))), 400);
	CHECK_EQ(status_of(put(&b, "/files", OCTETS, span_str("x"))), 400);
	CHECK_EQ(status_of(put(&b, "/files?path=/", OCTETS, span_str("x"))),
		 400);
	CHECK_EQ(status_of(put(&b, "/files?path=" ROOT, OCTETS, span_str("x"))),
		 400);
	CHECK_EQ(status_of(put(&b, "/files?path=/dev/null", OCTETS,
			       span_str("x"))),
		 400);
	CHECK_EQ(status_of(put(&b, "/files", FORM,
			       span_str(PART("") "x\r\n--XX--\r\n"))),
		 400);
	/* Dots are text, whatever they lead to. */
	r = put(&b, "/files?path=" ROOT "/a/../../../../.." ROOT "/dots",
		OCTETS, span_str("x"));
	CHECK_EQ(r->status, 200);
	CHECK(strstr(buf_cstr(&r->body), "\"path\":\"" ROOT "/dots\"") != NULL);
	reply_free(r);
	/* Quotes, line ends and other letters in a name */
	CHECK_EQ(status_of(put(&b,
			       "/files?path=" ROOT
			       "/%22%0d%0aX-Evil:%20%e2%82%ac",
			       OCTETS, span_str("x"))),
		 200);
	r = get(&b, "/files?path=" ROOT "/%22%0d%0aX-Evil:%20%e2%82%ac", NULL);
	CHECK_EQ(r->status, 200);
	CHECK(strstr(buf_cstr(&r->headers), "\nX-Evil") == NULL);
	reply_free(r);
	/* Nothing unfinished lies about. */
	CHECK_EQ(count_entries(ROOT), 2);
	bench_end(&b);
}

TEST(no_space_leaves_nothing)
{
	static uint8_t bytes[SPACE_BYTES + 1048576];
	struct bench b;

	files_begin(&b);
	CHECK_EQ(fd_write_file(AT_FDCWD, ROOT "/old", 0644, span_str("old")),
		 0);
	CHECK_EQ(status_of(put(&b, "/files?path=" ROOT "/old", OCTETS,
			       span_of(bytes, sizeof(bytes)))),
		 507);
	CHECK_EQ(count_entries(ROOT), 1);
	CHECK_EQ(status_of(get(&b, "/files?path=" ROOT "/old", NULL)), 200);
	bench_end(&b);
}

TEST(a_client_that_leaves_leaves_nothing)
{
	struct bench b;
	struct reply *r = NULL;

	files_begin(&b);
	r = client_request(&b.client, "POST", "/files?path=" ROOT "/part",
			   OCTETS, span_str("begin"), true);
	while (count_entries(ROOT) != 1)
		client_step(&b.client, 10);
	reply_free(r);
	CHECK_EQ(client_call(&b.client, "GET", "/health", NULL, NULL), 204);
	CHECK_EQ(count_entries(ROOT), 0);
	bench_end(&b);
}

TEST(large_files_are_identical)
{
	enum { TOTAL = 16777216 };
	static uint8_t bytes[TOTAL];
	struct bench b;
	struct reply *r = NULL;

	if (rng_fill(bytes, sizeof(bytes)) < 0)
		abort();
	files_begin(&b);
	CHECK_EQ(status_of(put(&b, "/files?path=" ROOT "/big", OCTETS,
			       span_of(bytes, TOTAL))),
		 200);
	r = get(&b, "/files?path=" ROOT "/big", NULL);
	CHECK_EQ(r->body.len, TOTAL);
	CHECK(r->body.len == TOTAL && memcmp(r->body.ptr, bytes, TOTAL) == 0);
	reply_free(r);
	bench_end(&b);
}

TEST(metadata_becomes_attributes)
{
	struct bench b;
	struct reply *r = NULL;
	char value[16];

	bench_begin(&b, true);
	b.client.extra = "X-Metadata-Color: blue\r\n";
	r = put(&b, "/files?path=/tmp/caponier-meta", OCTETS, span_str("x"));
	b.client.extra = NULL;
	CHECK_EQ(r->status, 200);
	CHECK(strstr(buf_cstr(&r->body), "\"metadata\":{\"color\":\"blue\"}") !=
	      NULL);
	reply_free(r);
	CHECK_EQ(getxattr("/tmp/caponier-meta", "user.e2b.color", value,
			  sizeof(value)),
		 4);
	(void)unlink("/tmp/caponier-meta");
	bench_end(&b);
}

static unsigned fs(struct bench *b, const char *method, const char *body,
		   json_t **ret)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "/filesystem.Filesystem/%s",
		       method);
	return client_call(&b->client, "POST", target, body, ret);
}

TEST(the_file_system_service)
{
	struct bench b;
	json_t *out = NULL;
	const json_t *entry = NULL;

	files_begin(&b);
	CHECK_EQ(fs(&b, "MakeDir", "{\"path\":\"" ROOT "/p/q\"}", NULL), 200);
	CHECK_EQ(fs(&b, "MakeDir", "{\"path\":\"" ROOT "/p/q\"}", NULL), 409);
	CHECK_EQ(fd_write_file(AT_FDCWD, ROOT "/p/f", 0640, span_str("abc")),
		 0);
	CHECK_EQ(symlink("f", ROOT "/p/l"), 0);
	CHECK_EQ(fs(&b, "Stat", "{\"path\":\"" ROOT "/p/l\"}", &out), 200);
	entry = json_object_get(out, "entry");
	CHECK_STR(json_string_value(json_object_get(entry, "type")),
		  "FILE_TYPE_FILE");
	CHECK_STR(json_string_value(json_object_get(entry, "size")), "3");
	CHECK_STR(json_string_value(json_object_get(entry, "permissions")),
		  "Lrw-r-----");
	CHECK_STR(json_string_value(json_object_get(entry, "symlinkTarget")),
		  ROOT "/p/f");
	json_decref(out);
	CHECK_EQ(fs(&b, "ListDir", "{\"path\":\"" ROOT "\",\"depth\":2}", &out),
		 200);
	CHECK_EQ(json_array_size(json_object_get(out, "entries")), 4);
	json_decref(out);
	CHECK_EQ(fs(&b, "ListDir", "{\"path\":\"" ROOT "/p/f\"}", NULL), 400);
	CHECK_EQ(fs(&b, "ListDir", "{\"path\":\"" ROOT "/no\"}", NULL), 404);
	CHECK_EQ(fs(&b, "Move",
		    "{\"source\":\"" ROOT "/p/f\",\"destination\":\"" ROOT
		    "/r/s/f\"}",
		    NULL),
		 200);
	CHECK_EQ(fs(&b, "Stat", "{\"path\":\"" ROOT "/p/f\"}", NULL), 404);
	CHECK_EQ(fs(&b, "Remove", "{\"path\":\"" ROOT "/r\"}", NULL), 200);
	CHECK_EQ(fs(&b, "Remove", "{\"path\":\"" ROOT "/r\"}", NULL), 200);
	CHECK_EQ(access(ROOT "/r", F_OK), -1);
	CHECK_EQ(fs(&b, "CreateWatcher", "{}", NULL), 501);
	bench_end(&b);
}

TESTS(RUN(a_file_goes_in_and_comes_out), RUN(a_form_brings_several_files),
      RUN(replacing_keeps_the_mode_and_follows_links), RUN(ranges),
      RUN(what_cannot_be_downloaded_says_why), RUN(hostile_names),
      RUN(no_space_leaves_nothing), RUN(a_client_that_leaves_leaves_nothing),
      RUN(large_files_are_identical), RUN(metadata_becomes_attributes),
      RUN(the_file_system_service))
