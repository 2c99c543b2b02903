// SPDX-License-Identifier: Apache-2.0
// Manifests: what a template is made of.

#include "image/manifest.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/rng.h"

enum {
	KEY_BYTES = 32,
	FILE_MAX_BYTES = 262144,
	MODE_PUBLIC = 0644,
	MODE_SECRET = 0600,
};

static void json_drop(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

/* The key. */

static int key_write(const char *path, const uint8_t key[KEY_BYTES])
{
	CLEANUP(fd_close)
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		      MODE_SECRET);

	if (fd < 0)
		return neg_errno();
	TRY(fd_write_all(fd, span_of(key, KEY_BYTES)));
	return fsync(fd) < 0 ? neg_errno() : 0;
}

/* Linked into place when it is whole: others may look for it meanwhile. */
static int key_make(const char *path, uint8_t key[KEY_BYTES])
{
	uint8_t fresh[KEY_BYTES];
	char tag[17];
	char staged[PATH_MAX];
	int r = 0;

	TRY(rng_hex(tag, (sizeof(tag) - 1) / 2));
	TRY(rng_fill(fresh, sizeof(fresh)));
	if (snprintf(staged, sizeof(staged), "%s.%s", path, tag) >=
	    (int)sizeof(staged))
		return -ENAMETOOLONG;
	r = key_write(staged, fresh);
	if (r == 0 && link(staged, path) < 0)
		r = neg_errno();
	(void)unlink(staged);
	TRY(r);
	memcpy(key, fresh, KEY_BYTES);
	return 0;
}

static int key_load(const struct home *home, bool may_make,
		    uint8_t key[KEY_BYTES])
{
	CLEANUP(buf_fini) struct buf bytes = BUF_EMPTY(KEY_BYTES);
	char path[PATH_MAX];
	int r = 0;

	TRY(home_path(home, path, "key"));
	r = fd_read_file(AT_FDCWD, path, &bytes);
	if (r == -ENOENT && may_make) {
		r = key_make(path, key);
		if (r != -EEXIST)
			return r;
		r = fd_read_file(AT_FDCWD, path, &bytes);
	}
	TRY(r);
	if (bytes.len != KEY_BYTES)
		return -EBADMSG;
	memcpy(key, bytes.ptr, KEY_BYTES);
	return 0;
}

/* Sealed documents: {"body":{...},"mac":"..."}, the MAC over the body in
 * jansson's compact form with sorted keys. */

static int body_mac(json_t *body, const uint8_t key[KEY_BYTES],
		    struct digest *ret)
{
	CLEANUP(mem_free_ptr)
	char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);

	if (text == NULL)
		return -ENOMEM;
	return digest_hmac(span_of(key, KEY_BYTES), span_str(text), ret);
}

static int sealed_write(const struct home *home, const char *file, json_t *body)
{
	uint8_t key[KEY_BYTES];
	struct digest mac = { 0 };
	CLEANUP(json_drop) json_t *doc = NULL;
	CLEANUP(mem_free_ptr) char *text = NULL;

	TRY(key_load(home, true, key));
	TRY(body_mac(body, key, &mac));
	doc = json_pack("{s:O,s:s}", "body", body, "mac", mac.hex);
	if (doc != NULL)
		text = json_dumps(doc, JSON_INDENT(1) | JSON_SORT_KEYS);
	if (text == NULL)
		return -ENOMEM;
	return fd_replace_file(AT_FDCWD, file, MODE_PUBLIC, span_str(text));
}

/* Root's file in a directory only root can change: trusted by its owner. */
static bool is_roots_own(const char *file)
{
	char dir[PATH_MAX];
	struct stat st = { 0 };
	char *slash = NULL;

	if (snprintf(dir, sizeof(dir), "%s", file) >= (int)sizeof(dir))
		return false;
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	if (lstat(file, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & 022) != 0)
		return false;
	return stat(dir, &st) == 0 && st.st_uid == 0 && (st.st_mode & 022) == 0;
}

static int sealed_check(const struct home *home, const char *file, json_t *body,
			const char *mac)
{
	uint8_t key[KEY_BYTES];
	struct digest own = { 0 };
	int r = key_load(home, false, key);

	if (r == -EACCES && is_roots_own(file))
		return 0;
	TRY(r);
	TRY(body_mac(body, key, &own));
	return span_eq_secret(span_str(own.hex), span_str(mac)) ? 0 : -EBADMSG;
}

static int sealed_read(const struct home *home, const char *file,
		       json_t **ret_body)
{
	CLEANUP(buf_fini) struct buf bytes = BUF_EMPTY(FILE_MAX_BYTES);
	CLEANUP(json_drop) json_t *doc = NULL;
	json_t *body = NULL;
	const char *mac = NULL;

	TRY(fd_read_file(AT_FDCWD, file, &bytes));
	doc = json_loadb((const char *)bytes.ptr, bytes.len,
			 JSON_REJECT_DUPLICATES, NULL);
	body = json_object_get(doc, "body");
	mac = json_string_value(json_object_get(doc, "mac"));
	if (!json_is_object(body) || mac == NULL)
		return -EBADMSG;
	TRY(sealed_check(home, file, body, mac));
	*ret_body = json_incref(body);
	return 0;
}

/* The manifest in memory. */

int manifest_add_part(struct manifest *m, const char *name, const char *path)
{
	struct manifest_part *part = &m->parts[m->part_count];

	if (m->part_count == MANIFEST_PARTS_MAX)
		return -E2BIG;
	TRY(span_copy_str(span_str(name), part->name, sizeof(part->name)));
	TRY(span_copy_str(span_str(path), part->path, sizeof(part->path)));
	m->part_count++;
	return 0;
}

int manifest_set(struct manifest *m, const char *name, const char *fmt, ...)
{
	struct manifest_setting *setting = &m->settings[m->setting_count];
	va_list ap;
	int n = 0;

	if (m->setting_count == MANIFEST_SETTINGS_MAX)
		return -E2BIG;
	TRY(span_copy_str(span_str(name), setting->name,
			  sizeof(setting->name)));
	va_start(ap, fmt);
	n = vsnprintf(setting->value, sizeof(setting->value), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(setting->value))
		return -ENAMETOOLONG;
	m->setting_count++;
	return 0;
}

const char *manifest_get(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->setting_count; i++) {
		if (strcmp(m->settings[i].name, name) == 0)
			return m->settings[i].value;
	}
	return NULL;
}

const char *manifest_path(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->part_count; i++) {
		if (strcmp(m->parts[i].name, name) == 0)
			return m->parts[i].path;
	}
	return NULL;
}

/* What was verified before: {"<path>":["<signature>","<digest>"]}. */

static int seen_path(const char *file, char ret[PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%s.seen", file);

	return n >= 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static json_t *seen_load(const struct home *home, const char *file)
{
	char path[PATH_MAX];
	json_t *body = NULL;

	if (seen_path(file, path) < 0 || sealed_read(home, path, &body) < 0)
		return json_object();
	return body;
}

/* Best effort: a user cannot write beside root's manifest. */
static void seen_store(const struct home *home, const char *file, json_t *seen)
{
	char path[PATH_MAX];

	if (seen_path(file, path) == 0)
		(void)sealed_write(home, path, seen);
}

static int seen_put(json_t *seen, const char *path,
		    const struct digest *signature, const struct digest *digest)
{
	json_t *row = json_pack("[s,s]", signature->hex, digest->hex);

	return json_object_set_new(seen, path, row) < 0 ? -ENOMEM : 0;
}

/* The digest of a part, from memory if nothing was written since. */
static int part_digest(json_t *seen, const char *path, bool *is_changed,
		       struct digest *ret)
{
	json_t *row = json_object_get(seen, path);
	const char *was = json_string_value(json_array_get(row, 0));
	const char *digest = json_string_value(json_array_get(row, 1));
	struct digest signature = { 0 };
	struct digest after = { 0 };

	TRY(digest_stat(path, &signature));
	if (was != NULL && digest != NULL && strcmp(was, signature.hex) == 0)
		return span_copy_str(span_str(digest), ret->hex,
				     sizeof(ret->hex));
	TRY(digest_path(path, ret));
	/* Written to while it was read: not what it will be. */
	TRY(digest_stat(path, &after));
	if (strcmp(after.hex, signature.hex) != 0)
		return -EBUSY;
	*is_changed = true;
	return seen_put(seen, path, &signature, ret);
}

static json_t *to_json(const struct manifest *m)
{
	CLEANUP(json_drop) json_t *parts = json_object();
	CLEANUP(json_drop) json_t *settings = json_object();

	for (size_t i = 0; i < m->part_count; i++) {
		const struct manifest_part *part = &m->parts[i];
		json_t *row = json_pack("{s:s,s:s}", "path", part->path,
					"sha256", part->digest.hex);

		if (json_object_set_new(parts, part->name, row) < 0)
			return NULL;
	}
	for (size_t i = 0; i < m->setting_count; i++) {
		const struct manifest_setting *setting = &m->settings[i];
		json_t *value = json_string(setting->value);

		if (json_object_set_new(settings, setting->name, value) < 0)
			return NULL;
	}
	return json_pack("{s:O,s:O}", "parts", parts, "settings", settings);
}

int manifest_write(const struct home *home, struct manifest *m,
		   const char *file, struct err *e)
{
	CLEANUP(json_drop) json_t *seen = seen_load(home, file);
	CLEANUP(json_drop) json_t *body = NULL;
	bool is_changed = false;
	int r = 0;

	for (size_t i = 0; i < m->part_count; i++) {
		r = part_digest(seen, m->parts[i].path, &is_changed,
				&m->parts[i].digest);
		if (r < 0)
			return err_set(e, r,
				       "cannot list %s in a manifest: %s; "
				       "build the template again",
				       m->parts[i].path, err_text(NULL, r));
	}
	body = to_json(m);
	r = body != NULL ? sealed_write(home, file, body) : -ENOMEM;
	if (r < 0)
		return err_set(e, r,
			       "cannot write the manifest %s: %s; free space "
			       "or correct its directory",
			       file, err_text(NULL, r));
	seen_store(home, file, seen);
	return 0;
}

static int from_json(json_t *body, struct manifest *m)
{
	json_t *parts = json_object_get(body, "parts");
	json_t *settings = json_object_get(body, "settings");
	const char *name = NULL;
	json_t *value = NULL;

	/* What is sealed under the same key may be another document. */
	if (!json_is_object(parts) || !json_is_object(settings))
		return -EBADMSG;
	json_object_foreach(parts, name, value) {
		const char *path =
			json_string_value(json_object_get(value, "path"));
		const char *hex =
			json_string_value(json_object_get(value, "sha256"));
		struct digest *digest = &m->parts[m->part_count].digest;

		if (path == NULL || hex == NULL)
			return -EBADMSG;
		TRY(manifest_add_part(m, name, path));
		TRY(span_copy_str(span_str(hex), digest->hex,
				  sizeof(digest->hex)));
	}
	json_object_foreach(settings, name, value) {
		if (!json_is_string(value))
			return -EBADMSG;
		TRY(manifest_set(m, name, "%s", json_string_value(value)));
	}
	return 0;
}

int manifest_load(const struct home *home, const char *file,
		  struct manifest *ret, struct err *e)
{
	CLEANUP(json_drop) json_t *body = NULL;
	CLEANUP(mem_free_ptr) struct manifest *m = mem_new(1, sizeof(*m));
	int r = m != NULL ? sealed_read(home, file, &body) : -ENOMEM;

	if (r == 0)
		r = from_json(body, m);
	if (r == -EBADMSG)
		return err_set(e, r,
			       "cannot use the manifest %s: it is not what "
			       "was written (its MAC does not match); build "
			       "the template again",
			       file);
	if (r < 0)
		return err_set(e, r,
			       "cannot read the manifest %s: %s; build the "
			       "template again",
			       file, err_text(NULL, r));
	*ret = *m;
	return 0;
}

int manifest_verify(const struct home *home, const struct manifest *m,
		    const char *file, const char **ret_part, struct err *e)
{
	CLEANUP(json_drop) json_t *seen = seen_load(home, file);
	bool is_changed = false;

	for (size_t i = 0; i < m->part_count; i++) {
		const struct manifest_part *part = &m->parts[i];
		struct digest now = { 0 };
		int r = part_digest(seen, part->path, &is_changed, &now);

		if (r == 0 && strcmp(now.hex, part->digest.hex) == 0)
			continue;
		*ret_part = part->name;
		if (r < 0)
			return err_set(e, r,
				       "cannot check the template's part "
				       "\"%s\" (%s): %s; build the template "
				       "again",
				       part->name, part->path,
				       err_text(NULL, r));
		return err_set(e, -EBADMSG,
			       "cannot load the template: its part \"%s\" (%s) "
			       "is not what was built; build the template "
			       "again",
			       part->name, part->path);
	}
	if (is_changed)
		seen_store(home, file, seen);
	return 0;
}
