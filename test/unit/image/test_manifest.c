// SPDX-License-Identifier: Apache-2.0
// Manifests: a flipped byte anywhere is found and named, what was seen is not
// read again and cannot be forged, the key is a secret, writers may meet.

#include "image/manifest.h"

#include <jansson.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "scratch.h"
#include "tap.h"

/* A home with a file, a directory and the manifest that lists both. */
struct fixture {
	struct scratch s;
	struct home home;
	char file[PATH_MAX];
	struct manifest m;
	struct err e;
};

static void fixture_fini(struct fixture *f)
{
	scratch_fini(&f->s);
}

static int add(struct manifest *m, struct scratch *s, const char *name)
{
	return manifest_add_part(m, name, scratch_path(s, name));
}

static bool fixture_init(struct fixture *f)
{
	*f = (struct fixture){ .s = scratch_new() };
	(void)snprintf(f->home.dir, sizeof(f->home.dir), "%s", f->s.dir);
	(void)snprintf(f->file, sizeof(f->file), "%s/m.json", f->s.dir);
	return CHECK_EQ(scratch_write(&f->s, "kernel", "a kernel"), 0) &&
	       CHECK_EQ(scratch_mkdir(&f->s, "engine"), 0) &&
	       CHECK_EQ(scratch_write(&f->s, "engine/qemu", "an engine"), 0) &&
	       CHECK_EQ(add(&f->m, &f->s, "kernel"), 0) &&
	       CHECK_EQ(add(&f->m, &f->s, "engine"), 0) &&
	       CHECK_EQ(manifest_set(&f->m, "mem_mib", "%d", 512), 0) &&
	       CHECK_EQ(manifest_write(&f->home, &f->m, f->file, &f->e), 0);
}

/* Loads and verifies; the name of what is wrong goes to @ret_part. */
static int check(struct fixture *f, const char **ret_part)
{
	static struct manifest m; /* names outlive the call */

	f->e = (struct err){ 0 };
	*ret_part = "none";
	TRY(manifest_load(&f->home, f->file, &m, &f->e));
	return manifest_verify(&f->home, &m, f->file, ret_part, &f->e);
}

/* Flips the lowest bit of byte @at; false past the end. */
static bool flip(const char *path, off_t at)
{
	CLEANUP(fd_close) int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;

	if (pread(fd, &byte, 1, at) != 1)
		return false;
	byte ^= 1;
	return pwrite(fd, &byte, 1, at) == 1;
}

TEST(what_was_written_is_loaded_and_verified)
{
	CLEANUP(fixture_fini) struct fixture f;
	struct manifest m = { .part_count = 0 };
	const char *part = NULL;

	if (!fixture_init(&f))
		return;
	CHECK_EQ(manifest_load(&f.home, f.file, &m, &f.e), 0);
	CHECK_STR(manifest_get(&m, "mem_mib"), "512");
	CHECK(manifest_get(&m, "none") == NULL);
	CHECK_STR(manifest_path(&m, "kernel"), scratch_path(&f.s, "kernel"));
	CHECK(manifest_path(&m, "none") == NULL);
	CHECK_EQ(check(&f, &part), 0);
	CHECK_STR(part, "none");
}

TEST(a_flipped_byte_in_a_part_is_found_and_named)
{
	CLEANUP(fixture_fini) struct fixture f;
	const char *part = NULL;
	char want[PATH_MAX];

	if (!fixture_init(&f))
		return;
	for (off_t i = 0; i < 8; i++) {
		CHECK(flip(scratch_path(&f.s, "kernel"), i));
		CHECK_EQ(check(&f, &part), -EBADMSG);
		CHECK_STR(part, "kernel");
		CHECK(flip(scratch_path(&f.s, "kernel"), i));
		CHECK_EQ(check(&f, &part), 0);
	}
	CHECK(flip(scratch_path(&f.s, "engine/qemu"), 3));
	CHECK_EQ(check(&f, &part), -EBADMSG);
	CHECK_STR(part, "engine");
	(void)snprintf(want, sizeof(want),
		       "cannot load the template: its part \"engine\" "
		       "(%s/engine) is not what was built; build the template "
		       "again",
		       f.s.dir);
	CHECK_STR(f.e.text, want);
}

TEST(a_part_gone_added_or_of_another_mode_is_found)
{
	CLEANUP(fixture_fini) struct fixture f;
	const char *part = NULL;

	if (!fixture_init(&f))
		return;
	CHECK_EQ(scratch_write(&f.s, "engine/more", ""), 0);
	CHECK_EQ(check(&f, &part), -EBADMSG);
	CHECK_EQ(unlink(f.s.path), 0);
	CHECK_EQ(check(&f, &part), 0);
	CHECK_EQ(chmod(scratch_path(&f.s, "engine/qemu"), 04755), 0);
	CHECK_EQ(check(&f, &part), -EBADMSG);
	CHECK_STR(part, "engine");
	CHECK_EQ(unlink(scratch_path(&f.s, "kernel")), 0);
	CHECK_EQ(chmod(scratch_path(&f.s, "engine/qemu"), 0644), 0);
	CHECK_EQ(check(&f, &part), -ENOENT);
	CHECK_STR(part, "kernel");
}

/* Some bytes are white space: flipped, they are still no other manifest. */
TEST(a_flipped_byte_in_the_manifest_is_never_taken_for_another)
{
	CLEANUP(fixture_fini) struct fixture f;
	struct manifest m = { .part_count = 0 };
	off_t i = 0;
	int refused = 0;
	bool is_right = true;

	if (!fixture_init(&f))
		return;
	for (i = 0; flip(f.file, i); i++) {
		int r = manifest_load(&f.home, f.file, &m, NULL);

		refused += r == -EBADMSG;
		is_right = is_right &&
			   (r == -EBADMSG || (r == 0 && m.part_count == 2));
		CHECK(flip(f.file, i));
	}
	CHECK(is_right);
	CHECK(i > 300);
	CHECK(refused > (int)i - 60);
	CHECK_EQ(manifest_load(&f.home, f.file, &m, NULL), 0);
}

TEST(another_key_or_none_refuses_the_manifest)
{
	CLEANUP(fixture_fini) struct fixture f;
	const char *part = NULL;
	char want[PATH_MAX * 2];

	if (!fixture_init(&f))
		return;
	CHECK(flip(scratch_path(&f.s, "key"), 0));
	CHECK_EQ(check(&f, &part), -EBADMSG);
	(void)snprintf(want, sizeof(want),
		       "cannot use the manifest %s: it is not what was written "
		       "(its MAC does not match); build the template again",
		       f.file);
	CHECK_STR(f.e.text, want);
	CHECK_EQ(truncate(f.s.path, 31), 0);
	CHECK_EQ(check(&f, &part), -EBADMSG);
	CHECK_EQ(unlink(f.s.path), 0);
	CHECK(check(&f, &part) < 0);
	CHECK(access(scratch_path(&f.s, "key"), F_OK) != 0);
}

TEST(the_key_is_32_secret_bytes)
{
	CLEANUP(fixture_fini) struct fixture f;
	struct stat st = { 0 };

	(void)umask(0);
	if (!fixture_init(&f))
		return;
	CHECK_EQ(stat(scratch_path(&f.s, "key"), &st), 0);
	CHECK_EQ(st.st_mode & 07777u, 0600);
	CHECK_EQ(st.st_size, 32);
	(void)umask(022);
}

/* Seals @body under the home's key as the module does, into m.json.seen. */
static void seal_seen(struct fixture *f, json_t *body)
{
	CLEANUP(buf_fini) struct buf key = BUF_EMPTY(32);
	CLEANUP(buf_fini) struct buf out = BUF_EMPTY(65536);
	CLEANUP(mem_free_ptr)
	char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
	struct digest mac = { "" };

	CHECK_EQ(fd_read_file(AT_FDCWD, scratch_path(&f->s, "key"), &key), 0);
	CHECK_EQ(digest_hmac(buf_span(&key), span_str(text), &mac), 0);
	CHECK_EQ(buf_printf(&out, "{\"body\":%s,\"mac\":\"%s\"}", text,
			    mac.hex),
		 0);
	CHECK_EQ(fd_write_file(AT_FDCWD, scratch_path(&f->s, "m.json.seen"),
			       0644, buf_span(&out)),
		 0);
}

/* Makes .seen say, under the right MAC, that the kernel has no such digest. */
static void lie_about_kernel(struct fixture *f)
{
	json_t *doc = json_load_file(scratch_path(&f->s, "m.json.seen"), 0,
				     NULL);
	json_t *body = json_object_get(doc, "body");
	json_t *row = json_object_get(body, scratch_path(&f->s, "kernel"));

	CHECK_EQ(json_object_size(body), 2);
	CHECK_EQ(json_array_set_new(row, 1, json_string("0000")), 0);
	seal_seen(f, body);
	json_decref(doc);
}

/* Only who does not read the kernel can believe the lie. */
TEST(an_unchanged_part_is_not_read_again)
{
	CLEANUP(fixture_fini) struct fixture f;
	const char *part = NULL;

	if (!fixture_init(&f))
		return;
	lie_about_kernel(&f);
	CHECK_EQ(check(&f, &part), -EBADMSG);
	CHECK_STR(part, "kernel");
	/* Touched, it is read, and the truth remembered. */
	CHECK_EQ(chmod(scratch_path(&f.s, "kernel"), 0600), 0);
	CHECK_EQ(check(&f, &part), 0);
	lie_about_kernel(&f);
	CHECK_EQ(check(&f, &part), -EBADMSG);
}

TEST(a_seen_file_with_a_wrong_mac_is_ignored)
{
	CLEANUP(fixture_fini) struct fixture f;
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(65536);
	const char *part = NULL;
	char *mac = NULL;

	if (!fixture_init(&f))
		return;
	lie_about_kernel(&f);
	CHECK_EQ(fd_read_file(AT_FDCWD, scratch_path(&f.s, "m.json.seen"), &b),
		 0);
	mac = memmem(b.ptr, b.len, "\"mac\":\"", 7);
	if (!CHECK(mac != NULL))
		return;
	CHECK(flip(f.s.path, mac - (char *)b.ptr + 10));
	CHECK_EQ(check(&f, &part), 0);
}

TEST(a_seen_file_that_is_garbage_is_ignored)
{
	static const char *const BAD[] = { "", "{", "[]", "{\"body\":{}}",
					   "{\"body\":{},\"mac\":\"\"}" };
	CLEANUP(fixture_fini) struct fixture f;
	const char *part = NULL;

	if (!fixture_init(&f))
		return;
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		CHECK_EQ(scratch_write(&f.s, "m.json.seen", BAD[i]), 0);
		CHECK_EQ(check(&f, &part), 0);
	}
	CHECK_EQ(unlink(f.s.path), 0);
	CHECK_EQ(check(&f, &part), 0);
}

TEST(a_seen_file_in_the_manifests_place_is_no_manifest)
{
	CLEANUP(fixture_fini) struct fixture f;
	struct manifest m = { .part_count = 0 };
	char seen[PATH_MAX + 8];

	if (!fixture_init(&f))
		return;
	(void)snprintf(seen, sizeof(seen), "%s.seen", f.file);
	CHECK_EQ(rename(seen, f.file), 0);
	/* Its MAC is right, yet it lists nothing. */
	CHECK_EQ(manifest_load(&f.home, f.file, &m, NULL), -EBADMSG);
}

TEST(there_is_none_and_it_cannot_be_written)
{
	CLEANUP(fixture_fini) struct fixture f;
	struct manifest m = { .part_count = 0 };
	char none[PATH_MAX + 8];

	if (!fixture_init(&f))
		return;
	(void)snprintf(none, sizeof(none), "%s/no/m.json", f.s.dir);
	CHECK_EQ(manifest_load(&f.home, none, &m, &f.e), -ENOENT);
	CHECK(strstr(f.e.text, "cannot read the manifest ") == f.e.text);
	f.e = (struct err){ 0 };
	CHECK_EQ(manifest_write(&f.home, &m, none, &f.e), -ENOENT);
	CHECK(strstr(f.e.text, "cannot write the manifest ") == f.e.text);
	f.e = (struct err){ 0 };
	CHECK_EQ(add(&m, &f.s, "absent"), 0);
	CHECK_EQ(manifest_write(&f.home, &m, f.file, &f.e), -ENOENT);
	CHECK(strstr(f.e.text, "cannot list ") == f.e.text);
	CHECK_EQ(manifest_load(&f.home, f.file, &m, &f.e), 0); /* the old one */
	CHECK_EQ(m.part_count, 2);
}

TEST(more_than_fits_is_refused)
{
	struct manifest m = { .part_count = 0 };
	char name[MANIFEST_NAME_BYTES + 1];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK_EQ(manifest_add_part(&m, name, "/a"), -ENAMETOOLONG);
	CHECK_EQ(manifest_set(&m, name, "%s", ""), -ENAMETOOLONG);
	CHECK_EQ(manifest_set(&m, "a", "%0*d", MANIFEST_VALUE_BYTES, 0),
		 -ENAMETOOLONG);
	CHECK_EQ(m.part_count + m.setting_count, 0);
	for (int i = 0; i < MANIFEST_PARTS_MAX; i++)
		CHECK_EQ(manifest_add_part(&m, "a", "/a"), 0);
	CHECK_EQ(manifest_add_part(&m, "a", "/a"), -E2BIG);
	for (int i = 0; i < MANIFEST_SETTINGS_MAX; i++)
		CHECK_EQ(manifest_set(&m, "a", "%s", "b"), 0);
	CHECK_EQ(manifest_set(&m, "a", "%s", "b"), -E2BIG);
}

/* In a fresh home, so that all make the key, too. */
static int write_one(const struct home *home, const char *file,
		     const char *part_path)
{
	struct manifest m = { .part_count = 0 };

	TRY(manifest_add_part(&m, "kernel", part_path));
	return manifest_write(home, &m, file, NULL);
}

TEST(writers_at_once_share_one_key)
{
	enum { WRITERS = 8, ROUNDS = 20 };
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct home home = { "" };
	char file[PATH_MAX];
	char kernel[PATH_MAX];
	struct manifest m = { .part_count = 0 };
	int failed = 0;

	(void)snprintf(home.dir, sizeof(home.dir), "%s", s.dir);
	(void)snprintf(file, sizeof(file), "%s", scratch_path(&s, "m.json"));
	CHECK_EQ(scratch_write(&s, "kernel", "a kernel"), 0);
	(void)snprintf(kernel, sizeof(kernel), "%s", s.path);
	for (int round = 0; round < ROUNDS; round++) {
		int status = 0;

		(void)unlink(scratch_path(&s, "key"));
		for (int i = 0; i < WRITERS; i++) {
			if (fork() == 0)
				_exit(write_one(&home, file, kernel) == 0 ? 0 :
									    1);
		}
		for (int i = 0; i < WRITERS; i++)
			failed += wait(&status) < 0 || status != 0;
		failed += manifest_load(&home, file, &m, NULL) != 0;
	}
	CHECK_EQ(failed, 0);
}

static int load_as_user(struct fixture *f)
{
	const char *part = NULL;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 77;
	return -check(f, &part);
}

static int user_gets(struct fixture *f)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(load_as_user(f));
	CHECK_EQ(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -1000;
}

TEST(a_user_takes_roots_manifest_if_only_root_can_write_it)
{
	CLEANUP(fixture_fini) struct fixture f;

	if (!fixture_init(&f))
		return;
	if (geteuid() != 0) {
		SKIP("needs root");
		return;
	}
	CHECK_EQ(chmod(f.s.dir, 0755), 0);
	CHECK_EQ(user_gets(&f), 0);
	CHECK(flip(scratch_path(&f.s, "kernel"), 0));
	CHECK_EQ(user_gets(&f), -EBADMSG);
	CHECK(flip(scratch_path(&f.s, "kernel"), 0));
	CHECK_EQ(chmod(f.file, 0664), 0);
	CHECK_EQ(user_gets(&f), -EACCES);
	CHECK_EQ(chmod(f.file, 0644), 0);
	CHECK_EQ(chmod(f.s.dir, 0757), 0);
	CHECK_EQ(user_gets(&f), -EACCES);
	CHECK_EQ(chmod(f.s.dir, 0755), 0);
	CHECK_EQ(chown(f.file, 1, 0), 0);
	CHECK_EQ(user_gets(&f), -EACCES);
}

TESTS(RUN(what_was_written_is_loaded_and_verified),
      RUN(a_flipped_byte_in_a_part_is_found_and_named),
      RUN(a_part_gone_added_or_of_another_mode_is_found),
      RUN(a_flipped_byte_in_the_manifest_is_never_taken_for_another),
      RUN(another_key_or_none_refuses_the_manifest),
      RUN(the_key_is_32_secret_bytes), RUN(an_unchanged_part_is_not_read_again),
      RUN(a_seen_file_with_a_wrong_mac_is_ignored),
      RUN(a_seen_file_that_is_garbage_is_ignored),
      RUN(a_seen_file_in_the_manifests_place_is_no_manifest),
      RUN(there_is_none_and_it_cannot_be_written),
      RUN(more_than_fits_is_refused), RUN(writers_at_once_share_one_key),
      RUN(a_user_takes_roots_manifest_if_only_root_can_write_it))
