// SPDX-License-Identifier: Apache-2.0
// GET /files: a file out of the sandbox, whole or a range of it.

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/files.h"
#include "agent/path.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"

enum {
	PIECE_BYTES = 65536,
	BODY_MAX_BYTES = 4096,
};

struct download {
	struct request *request;
	int fd;
	uint64_t remaining; /* never counted down if it is not measured */
	bool is_unmeasured; /* /proc and its like: no size, yet bytes */
};

struct range {
	uint64_t first;
	uint64_t length;
	bool is_partial;
};

static void download_free(struct download *d)
{
	d->request->state = NULL;
	d->request->on_cancel = NULL;
	fd_close(&d->fd);
	mem_free(d);
}

static void on_cancel(struct request *r)
{
	download_free(r->state);
}

/* "-N": the last N bytes. Return: 1 if well formed, 0, or -ERANGE. */
static int parse_suffix(struct span text, uint64_t size, struct range *ret)
{
	uint64_t n = 0;

	if (num_parse(text, 0, UINT64_MAX, &n) < 0)
		return 0;
	if (n == 0)
		return -ERANGE;
	if (n > size)
		n = size;
	*ret = (struct range){ .first = size - n,
			       .length = n,
			       .is_partial = true };
	return 1;
}

/*
 * "bytes=A-B", "bytes=A-", "bytes=-N". Anything else, several ranges included,
 * counts as absent. Return: 0 or 1; -ERANGE if nothing of it is in the file.
 * Spec: RFC 9110 14.1.2
 */
static int parse_range(struct span text, uint64_t size, struct range *ret)
{
	const uint8_t *dash = NULL;
	uint64_t first = 0;
	uint64_t last = UINT64_MAX;
	struct span after;

	if (!span_starts(text, "bytes="))
		return 0;
	text = span_from(text, 6);
	dash = text.len == 0 ? NULL : memchr(text.ptr, '-', text.len);
	if (dash == NULL)
		return 0;
	after = span_from(text, (size_t)(dash - text.ptr) + 1);
	text = span_to(text, (size_t)(dash - text.ptr));
	if (text.len == 0)
		return parse_suffix(after, size, ret);
	if (num_parse(text, 0, UINT64_MAX, &first) < 0 ||
	    (after.len != 0 && num_parse(after, first, UINT64_MAX, &last) < 0))
		return 0;
	if (first >= size)
		return -ERANGE;
	if (last >= size)
		last = size - 1;
	*ret = (struct range){ .first = first,
			       .length = last - first + 1,
			       .is_partial = true };
	return 1;
}

/* RFC 6266: a plain name quoted, any other one percent-encoded. */
static int put_disposition(struct buf *out, const char *name)
{
	bool is_plain = true;

	for (const char *c = name; *c != '\0'; c++)
		is_plain &= *c >= ' ' && *c <= '~' && *c != '"' && *c != '\\' &&
			    *c != '%';
	if (is_plain)
		return buf_printf(out,
				  "Content-Disposition: inline; "
				  "filename=\"%s\"\r\n",
				  name);
	TRY(buf_put_str(out, "Content-Disposition: inline; filename*=UTF-8''"));
	for (const char *c = name; *c != '\0'; c++)
		TRY(buf_printf(out, "%%%02X", (unsigned char)*c));
	return buf_put_str(out, "\r\n");
}

static int put_headers(struct buf *out, const char *path,
		       const struct range *range, uint64_t size)
{
	TRY(buf_put_str(out, "Content-Type: application/octet-stream\r\n"
			     "Accept-Ranges: bytes\r\n"));
	TRY(put_disposition(out, path_name(path)));
	if (range->is_partial)
		TRY(buf_printf(out,
			       "Content-Range: bytes %" PRIu64 "-%" PRIu64
			       "/%" PRIu64 "\r\n",
			       range->first, range->first + range->length - 1,
			       size));
	return 0;
}

static void finish(struct download *d, bool is_whole)
{
	struct request *r = d->request;

	download_free(d);
	if (is_whole)
		request_end(r);
	else
		request_abort(r); /* it shrank, or could not be read */
}

static size_t least(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

/* Sends what there is room for. */
static void advance(struct download *d)
{
	uint8_t piece[PIECE_BYTES];

	while (d->remaining != 0) {
		size_t want =
			least(least(sizeof(piece), request_room(d->request)),
			      d->remaining);
		ssize_t n = 0;

		if (want == 0)
			return;
		n = fd_read(d->fd, piece, want);
		if (n <= 0) {
			finish(d, n == 0 && d->is_unmeasured);
			return;
		}
		if (!d->is_unmeasured)
			d->remaining -= (uint64_t)n;
		request_piece(d->request, span_of(piece, (size_t)n));
	}
	finish(d, true);
}

/* A regular file; devices and FIFOs are never opened. */
static int open_regular(const char *path, int *ret_fd, struct stat *ret_stat)
{
	CLEANUP(fd_close) int place = open(path, O_PATH | O_CLOEXEC);
	char again[32];

	if (place < 0 || fstat(place, ret_stat) < 0)
		return neg_errno();
	if (S_ISDIR(ret_stat->st_mode))
		return -EISDIR;
	if (!S_ISREG(ret_stat->st_mode))
		return -EINVAL;
	(void)snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	*ret_fd = open(again, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? neg_errno() : 0;
}

static void begin(struct request *r, struct download *d, const char *path,
		  const struct range *range, uint64_t size)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(HTTP_HEAD_MAX_BYTES);
	uint8_t first = 0;

	if (put_headers(&headers, path, range, size) < 0 ||
	    lseek(d->fd, (off_t)range->first, SEEK_SET) < 0) {
		download_free(d);
		request_fail(r, 500, "path '%s' cannot be read", path);
		return;
	}
	/* Empty, or a file of /proc, which only says so. */
	d->is_unmeasured = size == 0 && pread(d->fd, &first, 1, 0) == 1;
	d->remaining = d->is_unmeasured ? UINT64_MAX : range->length;
	request_start(r, range->is_partial ? 206 : 200, buf_span(&headers),
		      d->is_unmeasured ? HTTP_LENGTH_UNKNOWN : range->length);
	advance(d);
}

static void refuse_range(struct request *r, uint64_t size)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(256);
	int code = buf_printf(&headers,
			      "Content-Range: bytes */%" PRIu64 "\r\n", size);

	if (code < 0)
		headers.len = 0;
	request_start(r, 416, buf_span(&headers), 0);
	request_end(r);
}

static void on_head(struct request *r, const struct http_head *head)
{
	struct file_target target = { 0 };
	struct range range = { 0 };
	struct span wanted = span_of(NULL, 0);
	struct download *d = NULL;
	struct stat st = { 0 };
	char path[PATH_MAX];
	uint64_t size = 0;
	int fd = -1;
	int code = 0;

	if (!files_target(r, head, &target) ||
	    !files_resolve(r, &target.user, target.path, path))
		return;
	code = open_regular(path, &fd, &st);
	if (code < 0) {
		files_fail(r, path, code);
		return;
	}
	size = (uint64_t)st.st_size;
	range.length = size;
	if (size != 0 && http_find(head, "Range", &wanted) &&
	    parse_range(wanted, size, &range) < 0) {
		(void)close(fd);
		refuse_range(r, size);
		return;
	}
	d = mem_new(1, sizeof(*d));
	if (d == NULL) {
		(void)close(fd);
		request_fail(r, 503, "no memory");
		return;
	}
	d->request = r;
	d->fd = fd;
	r->state = d;
	r->on_cancel = on_cancel;
	begin(r, d, path, &range, size);
}

static void on_end(struct request *r)
{
	(void)r; /* the answer began with the head */
}

static void on_room(struct request *r)
{
	if (r->state != NULL)
		advance(r->state);
}

const struct handler files_download = {
	.body_max_bytes = BODY_MAX_BYTES,
	.on_head = on_head,
	.on_end = on_end,
	.on_room = on_room,
};
