// SPDX-License-Identifier: Apache-2.0
// Digests of files and trees, and the keyed code over a manifest.

#include "image/digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

enum {
	PIECE_BYTES = 1 << 20,
	LISTING_MAX_BYTES = 64 << 20,
	DEPTH_MAX = 64,
	SETTLE_TRIES = 100,
};

static void to_hex(const uint8_t *raw, struct digest *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		ret->hex[2 * i] = digits[raw[i] >> 4];
		ret->hex[2 * i + 1] = digits[raw[i] & 15];
	}
	ret->hex[DIGEST_HEX_BYTES - 1] = '\0';
}

static void md_free(EVP_MD_CTX **md)
{
	EVP_MD_CTX_free(*md);
	*md = NULL;
}

int digest_span(struct span bytes, struct digest *ret)
{
	uint8_t raw[EVP_MAX_MD_SIZE];

	if (EVP_Digest(bytes.ptr, bytes.len, raw, NULL, EVP_sha256(), NULL) !=
	    1)
		return -EIO;
	to_hex(raw, ret);
	return 0;
}

int digest_hmac(struct span key, struct span bytes, struct digest *ret)
{
	uint8_t raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (key.len > INT_MAX || HMAC(EVP_sha256(), key.ptr, (int)key.len,
				      bytes.ptr, bytes.len, raw, &len) == NULL)
		return -EIO;
	to_hex(raw, ret);
	return 0;
}

static int digest_fd(int fd, struct digest *ret)
{
	CLEANUP(md_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	CLEANUP(mem_free_ptr) uint8_t *piece = mem_new(1, PIECE_BYTES);
	uint8_t raw[EVP_MAX_MD_SIZE];

	if (md == NULL || piece == NULL)
		return -ENOMEM;
	if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		return -EIO;
	for (;;) {
		ssize_t n = fd_read(fd, piece, PIECE_BYTES);

		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		if (EVP_DigestUpdate(md, piece, (size_t)n) != 1)
			return -EIO;
	}
	if (EVP_DigestFinal_ex(md, raw, NULL) != 1)
		return -EIO;
	to_hex(raw, ret);
	return 0;
}

/* A walk over a tree in sorted order; one record per entry into the listing.
 * Names and targets end with a NUL, the one byte that is in neither. */
struct walk {
	struct buf listing;
	bool reads_content;
	int depth;
	uint64_t newest_ns; /* ctime */
};

static void walk_fini(struct walk *w)
{
	buf_fini(&w->listing);
}

static int put_stat(struct walk *w, const char *path, const struct stat *st)
{
	uint64_t changed_ns = (uint64_t)st->st_ctim.tv_sec * NS_PER_S +
			      (uint64_t)st->st_ctim.tv_nsec;

	if (changed_ns > w->newest_ns)
		w->newest_ns = changed_ns;
	return buf_printf(&w->listing,
			  "%s%c%" PRIu64 " %" PRIu64 " %" PRId64 ".%09ld "
			  "%" PRId64 ".%09ld\n",
			  path, 0, (uint64_t)st->st_ino, (uint64_t)st->st_size,
			  (int64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
			  (int64_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static int put_file(struct walk *w, int dir, const char *name, const char *path,
		    const struct stat *st)
{
	CLEANUP(fd_close)
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct digest content = { 0 };

	if (fd < 0)
		return neg_errno();
	TRY(digest_fd(fd, &content));
	return buf_printf(&w->listing, "f %04o %u %u %s %s%c",
			  (unsigned)st->st_mode & 07777u, st->st_uid,
			  st->st_gid, content.hex, path, 0);
}

static int put_link(struct walk *w, int dir, const char *name, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return neg_errno();
	target[n] = '\0';
	return buf_printf(&w->listing, "l %s%c%s%c", path, 0, target, 0);
}

static int walk_dir(struct walk *w, int dir, const char *prefix);

static int put_entry(struct walk *w, int dir, const char *name,
		     const char *prefix)
{
	char path[PATH_MAX];
	struct stat st = { 0 };
	CLEANUP(fd_close) int below = -1;

	if (snprintf(path, sizeof(path), "%s/%s", prefix, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return neg_errno();
	if (!w->reads_content)
		TRY(put_stat(w, path, &st));
	if (S_ISDIR(st.st_mode)) {
		if (w->reads_content)
			TRY(buf_printf(&w->listing, "d %04o %u %u %s%c",
				       (unsigned)st.st_mode & 07777u, st.st_uid,
				       st.st_gid, path, 0));
		below = openat(dir, name,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		return below < 0 ? neg_errno() : walk_dir(w, below, path);
	}
	if (!w->reads_content)
		return 0;
	if (S_ISLNK(st.st_mode))
		return put_link(w, dir, name, path);
	return S_ISREG(st.st_mode) ? put_file(w, dir, name, path, &st) :
				     -ENOTSUP;
}

static int is_entry(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int walk_dir(struct walk *w, int dir, const char *prefix)
{
	struct dirent **names = NULL;
	int count = scandirat(dir, ".", &names, is_entry, by_bytes);
	int r = 0;

	if (count < 0)
		return neg_errno();
	if (++w->depth > DEPTH_MAX)
		r = -ELOOP;
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = put_entry(w, dir, names[i]->d_name, prefix);
		mem_free(names[i]);
	}
	w->depth--;
	mem_free((void *)names);
	return r;
}

static int digest_at(struct walk *w, const char *path, struct digest *ret)
{
	/* A pipe in its place must not be waited for. */
	CLEANUP(fd_close)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st = { 0 };

	if (fd < 0 || fstat(fd, &st) < 0)
		return neg_errno();
	if (S_ISREG(st.st_mode) && w->reads_content)
		return digest_fd(fd, ret);
	if (S_ISREG(st.st_mode))
		TRY(put_stat(w, "", &st));
	else if (S_ISDIR(st.st_mode))
		TRY(walk_dir(w, fd, ""));
	else
		return -ENOTSUP;
	return digest_span(buf_span(&w->listing), ret);
}

int digest_path(const char *path, struct digest *ret)
{
	CLEANUP(walk_fini)
	struct walk w = { .listing = BUF_EMPTY(LISTING_MAX_BYTES),
			  .reads_content = true };

	return digest_at(&w, path, ret);
}

/* The clock that file systems stamp with: it stands still for milliseconds. */
static uint64_t stamp_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* While the newest ctime is the clock's present one, a further write would
 * leave it as it is. A ctime far ahead is of before the clock was set back. */
int digest_stat(const char *path, struct digest *ret)
{
	const struct timespec pause = { .tv_nsec = (long)NS_PER_MS };

	for (int i = 0; i < SETTLE_TRIES; i++) {
		CLEANUP(walk_fini)
		struct walk w = { .listing = BUF_EMPTY(LISTING_MAX_BYTES) };
		uint64_t began_ns = stamp_ns();
		struct digest signature = { 0 };

		TRY(digest_at(&w, path, &signature));
		if (w.newest_ns < began_ns ||
		    w.newest_ns > began_ns + NS_PER_S) {
			*ret = signature;
			return 0;
		}
		(void)nanosleep(&pause, NULL);
	}
	return -EBUSY;
}
