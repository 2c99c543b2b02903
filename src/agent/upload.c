// SPDX-License-Identifier: Apache-2.0
// POST /files: files into the sandbox, as a form or as plain bytes.

#include <ctype.h>
#include <string.h>

#include "agent/files.h"
#include "agent/incoming.h"
#include "agent/multipart.h"
#include "agent/path.h"
#include "agent/rpc.h"
#include "base/mem.h"

enum {
	BODY_MAX_BYTES = 0, /* nothing is collected */
	FILES_MAX = 4096,
	METADATA_NAME_BYTES = 246, /* E2B's limits */
	METADATA_MAX_BYTES = 4096,
};

struct upload {
	struct request *request;
	struct file_target target;
	struct incoming file;
	bool is_form;
	json_t *metadata; /* owned, or NULL */
	json_t *written;  /* owned: the answer */
	struct multipart form;
};

static void upload_free(struct upload *u)
{
	u->request->state = NULL;
	u->request->on_cancel = NULL;
	incoming_drop(&u->file);
	json_decref(u->metadata);
	json_decref(u->written);
	mem_free(u);
}

static void on_cancel(struct request *r)
{
	upload_free(r->state);
}

static void fail_path(struct upload *u, const char *path, int code)
{
	struct request *r = u->request;
	char copy[PATH_MAX];

	memcpy(copy, path, strlen(path) + 1);
	upload_free(u);
	files_fail(r, copy, code);
}

static void fail(struct upload *u, unsigned status, const char *message)
{
	struct request *r = u->request;

	upload_free(u);
	request_fail(r, status, "%s", message);
}

/* ---- one file ---- */

/* Whether this answer names the path already. */
static bool is_written(const struct upload *u, const char *path)
{
	for (size_t i = 0; i < json_array_size(u->written); i++) {
		if (strcmp(rpc_text(json_array_get(u->written, i), "path"),
			   path) == 0)
			return true;
	}
	return false;
}

/* Return: whether the upload goes on. */
static bool begin_file(struct upload *u, const char *given)
{
	char path[PATH_MAX];
	int code = path_resolve(given, u->target.user.home,
				u->request->agent->identity.default_workdir,
				path, sizeof(path));

	if (code == 0 && given[0] == '\0')
		code = -EISDIR;
	if (code == 0 && is_written(u, path)) {
		fail(u, 400,
		     "you cannot upload multiple files to the same path");
		return false;
	}
	if (code == 0)
		code = incoming_open(path, &u->target.user, &u->file);
	if (code == 0)
		code = incoming_set_metadata(&u->file, u->metadata);
	if (code < 0)
		fail_path(u, given, code);
	return code == 0;
}

static bool write_file(struct upload *u, struct span bytes)
{
	int code = incoming_write(&u->file, bytes);

	if (code < 0)
		fail_path(u, u->file.path, code);
	return code == 0;
}

static bool end_file(struct upload *u)
{
	int code = incoming_commit(&u->file);
	json_t *entry = NULL;

	if (code < 0) {
		fail_path(u, u->file.path, code);
		return false;
	}
	entry = json_pack("{s:s,s:s,s:s}", "path", u->file.path, "name",
			  path_name(u->file.path), "type", "file");
	if (entry != NULL && u->metadata != NULL)
		(void)json_object_set(entry, "metadata", u->metadata);
	if (entry == NULL || json_array_append_new(u->written, entry) < 0) {
		fail(u, 500, "a file's path is not UTF-8");
		return false;
	}
	return true;
}

/* ---- the head ---- */

/* X-Metadata-<k>: v. Return: whether all of it is acceptable. */
static bool read_metadata(struct upload *u, const struct http_head *head)
{
	static const char PREFIX[] = "X-Metadata-";
	size_t bytes = 0;

	for (size_t i = 0; i < head->header_count; i++) {
		struct span name = head->headers[i].name;
		struct span value = head->headers[i].value;
		char key[METADATA_NAME_BYTES + 1];

		if (!span_is_nocase(span_to(name, sizeof(PREFIX) - 1), PREFIX))
			continue;
		name = span_from(name, sizeof(PREFIX) - 1);
		bytes += name.len + value.len;
		if (name.len == 0 || bytes > METADATA_MAX_BYTES ||
		    span_copy_str(name, key, sizeof(key)) < 0)
			return false;
		for (char *c = key; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		if (u->metadata == NULL)
			u->metadata = json_object();
		if (json_object_set_new(u->metadata, key,
					json_stringn((const char *)value.ptr,
						     value.len)) < 0)
			return false;
	}
	return true;
}

static bool is_plain_encoding(const struct http_head *head)
{
	struct span encoding = span_of(NULL, 0);

	return !http_find(head, "Content-Encoding", &encoding) ||
	       span_is_nocase(encoding, "identity");
}

static void begin(struct upload *u, const struct http_head *head)
{
	struct span type = span_of(NULL, 0);

	(void)http_find(head, "Content-Type", &type);
	if (!is_plain_encoding(head)) {
		fail(u, 415, "only Content-Encoding identity is understood");
	} else if (!read_metadata(u, head)) {
		fail(u, 400, "the X-Metadata headers are malformed");
	} else if (span_is_nocase(span_to(type, 24),
				  "application/octet-stream")) {
		if (u->target.path[0] == '\0')
			fail(u, 400, "the parameter path is missing");
		else
			(void)begin_file(u, u->target.path);
	} else if (multipart_init(&u->form, type) == 0) {
		u->is_form = true;
	} else {
		fail(u, 400,
		     "Content-Type must be multipart/form-data with a "
		     "boundary, or application/octet-stream");
	}
}

static void on_head(struct request *r, const struct http_head *head)
{
	struct upload *u = mem_new(1, sizeof(*u));

	if (u == NULL) {
		request_fail(r, 503, "no memory");
		return;
	}
	u->request = r;
	u->file = INCOMING_NONE;
	u->written = json_array();
	if (!files_target(r, head, &u->target)) {
		upload_free(u);
		return;
	}
	r->state = u;
	r->on_cancel = on_cancel;
	begin(u, head);
}

/* ---- the body ---- */

/* A part named "file" is a file; its name is a path unless the query has one.
 * Return: whether the upload goes on. */
static bool take_part(struct upload *u)
{
	if (strcmp(u->form.name, "file") != 0)
		return true;
	if (json_array_size(u->written) >= FILES_MAX) {
		fail(u, 400, "too many files in one request");
		return false;
	}
	return begin_file(u, u->target.path[0] != '\0' ? u->target.path :
							 u->form.filename);
}

static bool take_event(struct upload *u, enum multipart_event event,
		       struct span bytes)
{
	bool is_file = u->file.fd >= 0;

	switch (event) {
	case MULTIPART_PART:
		return take_part(u);
	case MULTIPART_BYTES:
		return !is_file || write_file(u, bytes);
	case MULTIPART_END:
		return !is_file || end_file(u);
	}
	return true;
}

static void on_body(struct request *r, struct span piece)
{
	struct upload *u = r->state;
	enum multipart_event event = MULTIPART_PART;
	struct span bytes = span_of(NULL, 0);
	int code = 0;

	if (!u->is_form) {
		(void)write_file(u, piece);
		return;
	}
	while ((code = multipart_next(&u->form, &piece, &event, &bytes)) == 1) {
		if (!take_event(u, event, bytes))
			return;
	}
	if (code < 0)
		fail(u, 400, "the form is malformed");
}

static void on_end(struct request *r)
{
	struct upload *u = r->state;
	json_t *written = NULL;

	if (u->is_form && !u->form.is_complete) {
		fail(u, 400, "the form ends before its last boundary");
		return;
	}
	if (!u->is_form && !end_file(u))
		return;
	written = json_incref(u->written);
	upload_free(u);
	rpc_reply(r, written);
}

const struct handler files_upload = {
	.body_max_bytes = BODY_MAX_BYTES,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_end,
};
