// SPDX-License-Identifier: Apache-2.0
// Copying files into a sandbox before its command starts.

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "cli/session_parts.h"

enum { PIECE_BYTES = 16384, ANSWER_MAX_BYTES = 4096 };

static void next_file(struct session *s);

static struct session *session_of(struct http_client *c)
{
	struct api_conn *conn = c->owner;

	return conn->owner;
}

static const char *current(const struct session *s)
{
	return s->request->files->items[s->next_file];
}

static void pump_file(struct session *s)
{
	uint8_t piece[PIECE_BYTES];

	while (s->file_left != 0) {
		size_t room = http_client_room(&s->files.http);
		ssize_t n = 0;

		if (room == 0)
			return;
		if (room > sizeof(piece))
			room = sizeof(piece);
		if (room > s->file_left)
			room = (size_t)s->file_left;
		n = fd_read(s->file_fd, piece, room);
		if (n <= 0) {
			session_fail(s,
				     err_set(s->e, -EIO,
					     "cannot copy %s in: it ended or "
					     "failed while it was read; leave "
					     "it alone and try again",
					     current(s)));
			return;
		}
		if (http_client_piece(&s->files.http,
				      span_of(piece, (size_t)n)) < 0)
			return;
		s->file_left -= (uint64_t)n;
	}
	fd_close(&s->file_fd);
	(void)!http_client_end(&s->files.http);
}

static void on_head(struct http_client *c, const struct http_head *head)
{
	session_of(c)->file_status = head->status;
}

static void on_body(struct http_client *c, struct span piece)
{
	struct session *s = session_of(c);

	(void)!buf_put(&s->file_answer,
		       span_to(piece, s->file_answer.max - s->file_answer.len));
}

static void refused(struct session *s)
{
	json_t *doc = json_loadb((const char *)s->file_answer.ptr,
				 s->file_answer.len, 0, NULL);
	const char *message =
		json_string_value(json_object_get(doc, "message"));

	session_fail(s, err_set(s->e, -EIO,
				"cannot copy %s in: the sandbox answered %u "
				"(%s); choose another place with SRC:DST",
				current(s), s->file_status,
				message != NULL ? message : "no reason given"));
	json_decref(doc);
}

static void on_end(struct http_client *c)
{
	struct session *s = session_of(c);

	if (s->file_status == HTTP_BAD_GATEWAY) {
		session_await_end(s);
		return;
	}
	if (s->file_status != 200) {
		refused(s);
		return;
	}
	s->next_file++;
	next_file(s);
}

static void on_fail(struct http_client *c, int code)
{
	(void)c;
	(void)code; /* the sandbox's end comes over the control channel */
}

static void on_room(struct http_client *c)
{
	struct session *s = session_of(c);

	if (s->file_fd >= 0)
		pump_file(s);
}

static const struct http_client_ops ops = {
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
	.on_fail = on_fail,
	.on_room = on_room,
};

static int put_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		TRY(buf_printf(out, "%%%02x", (unsigned)(uint8_t)*text));
	return 0;
}

static int put_target(struct session *s, const char *destination,
		      struct buf *out)
{
	bool is_plain = destination[0] == '/' || s->request->workdir == NULL;

	TRY(buf_put_str(out, "/files?username="));
	TRY(put_escaped(out, s->request->user));
	TRY(buf_put_str(out, "&path="));
	if (!is_plain) {
		TRY(put_escaped(out, s->request->workdir));
		TRY(buf_put_str(out, "/"));
	}
	return put_escaped(out, destination);
}

static int begin(struct session *s, const char *destination)
{
	CLEANUP(buf_fini) struct buf target = BUF_EMPTY(8192);
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(4096);

	TRY(put_target(s, destination, &target));
	TRY(session_headers(s, &headers, "application/octet-stream"));
	return http_client_start(&s->files.http, "POST", buf_span(&target),
				 buf_span(&headers), s->file_left);
}

static int open_file(struct session *s, const char *source)
{
	struct stat st = { 0 };
	int r = 0;

	s->file_fd = open(source, O_RDONLY | O_CLOEXEC);
	if (s->file_fd < 0 || fstat(s->file_fd, &st) < 0)
		r = neg_errno();
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r < 0)
		return err_set(s->e, r,
			       "cannot copy %s in: %s; give a regular file "
			       "you may read as --file SRC[:DST]",
			       source,
			       r == -EINVAL ? "it is not a regular file" :
					      err_text(NULL, r));
	s->file_left = (uint64_t)st.st_size;
	return 0;
}

static int start_file(struct session *s, const char *item)
{
	char source[PATH_MAX];
	const char *colon = strrchr(item, ':');
	const char *slash = NULL;
	size_t len = colon != NULL ? (size_t)(colon - item) : strlen(item);

	TRY(span_copy_str(span_of(item, len), source, sizeof(source)));
	TRY(open_file(s, source));
	slash = strrchr(source, '/');
	buf_drop(&s->file_answer, s->file_answer.len);
	if (colon != NULL)
		return begin(s, colon + 1);
	return begin(s, slash != NULL ? slash + 1 : source);
}

static void next_file(struct session *s)
{
	int r = 0;

	if (s->next_file == s->request->files->count) {
		stream_start(s);
		return;
	}
	r = start_file(s, current(s));
	if (r < 0) {
		session_fail(s, r);
		return;
	}
	pump_file(s);
	api_conn_pump(&s->files);
}

void files_start(struct session *s)
{
	int r = 0;

	s->file_answer = BUF_EMPTY(ANSWER_MAX_BYTES);
	if (s->request->files->count == 0) {
		stream_start(s);
		return;
	}
	r = api_conn_open(&s->files, &s->loop, s->sandbox->api_socket, &ops, s,
			  s->e);
	if (r < 0)
		session_fail(s, r);
	else
		next_file(s);
}

void files_fini(struct session *s)
{
	api_conn_close(&s->files);
	fd_close(&s->file_fd);
	buf_fini(&s->file_answer);
}
