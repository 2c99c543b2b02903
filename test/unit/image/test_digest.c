// SPDX-License-Identifier: Apache-2.0
// Digests: published vectors, what a tree's digest depends on and what not,
// and a signature that a restored mtime does not deceive.

#include "image/digest.h"

#include "scratch.h"
#include "tap.h"

TEST(sha_256_gives_the_published_values)
{
	struct digest d = { "" };

	CHECK_EQ(digest_span(span_of(NULL, 0), &d), 0);
	CHECK_STR(d.hex, "e3b0c44298fc1c149afbf4c8996fb924"
			 "27ae41e4649b934ca495991b7852b855");
	CHECK_EQ(digest_span(span_str("abc"), &d), 0);
	CHECK_STR(d.hex, "ba7816bf8f01cfea414140de5dae2223"
			 "b00361a396177a9cb410ff61f20015ad");
	CHECK_EQ(digest_span(span_str("abcdbcdecdefdefgefghfghighijhijkijkljklm"
				      "klmnlmnomnopnopq"),
			     &d),
		 0);
	CHECK_STR(d.hex, "248d6a61d20638b8e5c026930c3e6039"
			 "a33ce45964ff2167f6ecedd419db06c1");
}

/* RFC 4231, test cases 1, 2 and 6. */
TEST(hmac_gives_the_published_values)
{
	uint8_t key[131];
	struct digest d = { "" };

	memset(key, 0x0b, sizeof(key));
	CHECK_EQ(digest_hmac(span_of(key, 20), span_str("Hi There"), &d), 0);
	CHECK_STR(d.hex, "b0344c61d8db38535ca8afceaf0bf12b"
			 "881dc200c9833da726e9376c2e32cff7");
	CHECK_EQ(digest_hmac(span_str("Jefe"),
			     span_str("what do ya want for nothing?"), &d),
		 0);
	CHECK_STR(d.hex, "5bdcc146bf60754e6a042426089575c7"
			 "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	CHECK_EQ(digest_hmac(span_of(key, 131),
			     span_str("Test Using Larger Than Block-Size Key - "
				      "Hash Key First"),
			     &d),
		 0);
	CHECK_STR(d.hex, "60e431591ee0b67f0d8a26aacbf5b77f"
			 "8e0bc6213728c5140546040f0ee37f54");
}

TEST(a_file_is_its_bytes)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct digest d = { "" };
	struct digest big = { "" };
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY((size_t)4 << 20);

	CHECK_EQ(scratch_write(&s, "f", "abc"), 0);
	CHECK_EQ(digest_path(s.path, &d), 0);
	CHECK_STR(d.hex, "ba7816bf8f01cfea414140de5dae2223"
			 "b00361a396177a9cb410ff61f20015ad");
	/* More than is read at once. */
	while (b.len < (size_t)3 << 20)
		CHECK_EQ(buf_put_str(&b, "sixty-one bytes of a file that does "
					 "not fit into one single read"),
			 0);
	CHECK_EQ(fd_write_file(AT_FDCWD, s.path, 0644, buf_span(&b)), 0);
	CHECK_EQ(digest_path(s.path, &d), 0);
	CHECK_EQ(digest_span(buf_span(&b), &big), 0);
	CHECK_STR(d.hex, big.hex);
}

/* The same tree; @is_reversed: made in the other order. */
static void make_tree(struct scratch *s, bool is_reversed)
{
	static const char *const FILES[] = { "t/a", "t/b", "t/d/c", "t/d/d" };

	CHECK_EQ(scratch_mkdir(s, "t"), 0);
	CHECK_EQ(scratch_mkdir(s, "t/d"), 0);
	CHECK_EQ(symlink("a", scratch_path(s, "t/l")), 0);
	for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
		size_t at = is_reversed ? ARRAY_LEN(FILES) - 1 - i : i;

		CHECK_EQ(scratch_write(s, FILES[at], FILES[at]), 0);
	}
}

static struct digest of_tree(struct scratch *s)
{
	struct digest d = { "" };

	CHECK_EQ(digest_path(scratch_path(s, "t"), &d), 0);
	return d;
}

TEST(the_order_of_making_does_not_count)
{
	CLEANUP(scratch_fini) struct scratch a = scratch_new();
	CLEANUP(scratch_fini) struct scratch b = scratch_new();

	make_tree(&a, false);
	make_tree(&b, true);
	CHECK_STR(of_tree(&a).hex, of_tree(&b).hex);
}

/* Each step changes one thing and must change the digest. */
TEST(everything_else_counts)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct digest seen[9];
	size_t n = 0;

	make_tree(&s, false);
	seen[n++] = of_tree(&s);
	CHECK_EQ(chmod(scratch_path(&s, "t/a"), 0600), 0);
	seen[n++] = of_tree(&s);
	CHECK_EQ(scratch_write(&s, "t/a", "t/A"), 0);
	seen[n++] = of_tree(&s);
	CHECK_EQ(chmod(scratch_path(&s, "t/d"), 0700), 0);
	seen[n++] = of_tree(&s);
	CHECK_EQ(scratch_mkdir(&s, "t/new"), 0);
	seen[n++] = of_tree(&s);
	CHECK_EQ(unlink(scratch_path(&s, "t/l")), 0);
	CHECK_EQ(symlink("b", scratch_path(&s, "t/l")), 0);
	seen[n++] = of_tree(&s);
	CHECK_EQ(rmdir(scratch_path(&s, "t/new")), 0);
	CHECK_EQ(scratch_write(&s, "t/new", ""), 0);
	seen[n++] = of_tree(&s);
	CHECK_EQ(chmod(scratch_path(&s, "t/new"), 04644), 0);
	seen[n++] = of_tree(&s);
	if (geteuid() == 0)
		CHECK_EQ(chown(scratch_path(&s, "t/b"), 1, 0), 0);
	else
		CHECK_EQ(unlink(scratch_path(&s, "t/b")), 0);
	seen[n++] = of_tree(&s);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(seen[i].hex, seen[j].hex) != 0);
	}
}

/* Two trees that differ only in where a name ends. */
TEST(names_and_targets_cannot_pass_for_one_another)
{
	CLEANUP(scratch_fini) struct scratch a = scratch_new();
	CLEANUP(scratch_fini) struct scratch b = scratch_new();
	char target[256];
	struct digest empty = { "" };

	CHECK_EQ(scratch_mkdir(&a, "t"), 0);
	CHECK_EQ(scratch_mkdir(&b, "t"), 0);
	CHECK_EQ(symlink("z -> y", scratch_path(&a, "t/x")), 0);
	CHECK_EQ(symlink("y", scratch_path(&b, "t/x -> z")), 0);
	CHECK(strcmp(of_tree(&a).hex, of_tree(&b).hex) != 0);
	CHECK_EQ(unlink(scratch_path(&a, "t/x")), 0);
	CHECK_EQ(unlink(scratch_path(&b, "t/x -> z")), 0);
	CHECK_EQ(symlink("y", scratch_path(&a, "t/x")), 0);
	CHECK_EQ(scratch_write(&a, "t/z", ""), 0);
	CHECK_EQ(digest_path(a.path, &empty), 0);
	(void)snprintf(target, sizeof(target), "y\nf 0644 %u %u %s /z",
		       geteuid(), getegid(), empty.hex);
	CHECK_EQ(symlink(target, scratch_path(&b, "t/x")), 0);
	CHECK(strcmp(of_tree(&a).hex, of_tree(&b).hex) != 0);
}

TEST(other_types_are_refused_and_not_waited_for)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct digest d = { "untouched" };

	CHECK_EQ(scratch_mkdir(&s, "t"), 0);
	CHECK_EQ(mkfifo(scratch_path(&s, "t/pipe"), 0600), 0);
	(void)alarm(20);
	CHECK_EQ(digest_path(scratch_path(&s, "t"), &d), -ENOTSUP);
	CHECK_EQ(digest_path("/dev/null", &d), -ENOTSUP);
	CHECK_EQ(digest_stat("/dev/null", &d), -ENOTSUP);
	/* Nobody writes to it: opening would wait for ever. */
	CHECK_EQ(digest_path(scratch_path(&s, "t/pipe"), &d), -ENOTSUP);
	(void)alarm(0);
	CHECK_EQ(digest_path(scratch_path(&s, "none"), &d), -ENOENT);
	CHECK_STR(d.hex, "untouched");
}

static struct digest signature(struct scratch *s)
{
	struct digest d = { "" };

	CHECK_EQ(digest_stat(scratch_path(s, "t"), &d), 0);
	return d;
}

TEST(a_signature_stands_while_nothing_is_written)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct digest before = { "" };
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(100);

	make_tree(&s, false);
	before = signature(&s);
	CHECK_EQ(fd_read_file(AT_FDCWD, scratch_path(&s, "t/a"), &b), 0);
	(void)of_tree(&s);
	CHECK_STR(signature(&s).hex, before.hex);
	CHECK_EQ(unlink(scratch_path(&s, "t/d/c")), 0);
	CHECK(strcmp(signature(&s).hex, before.hex) != 0);
}

/* Same size, same inode, and the mtime set back. */
TEST(a_write_that_restores_the_mtime_is_seen)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	struct digest before = { "" };
	struct stat st = { 0 };
	struct timespec times[2];

	make_tree(&s, false);
	before = signature(&s);
	CHECK_EQ(stat(scratch_path(&s, "t/d/c"), &st), 0);
	CHECK_EQ(scratch_write(&s, "t/d/c", "T/D/C"), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	CHECK_EQ(utimensat(AT_FDCWD, s.path, times, 0), 0);
	CHECK(strcmp(signature(&s).hex, before.hex) != 0);
}

/* Kernels before 6.13 stamp with a clock that stands still for milliseconds:
 * there this fails if a signature is given too early. */
TEST(a_write_right_after_a_signature_is_seen)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	int missed = 0;

	make_tree(&s, false);
	for (int i = 0; i < 50; i++) {
		struct digest before = { "" };
		char content[] = "xyz";

		content[0] = (char)('A' + i);
		CHECK_EQ(scratch_write(&s, "t/a", content), 0);
		before = signature(&s);
		content[0] = (char)('B' + i);
		CHECK_EQ(scratch_write(&s, "t/a", content), 0);
		missed += strcmp(signature(&s).hex, before.hex) == 0;
	}
	CHECK_EQ(missed, 0);
}

TEST(there_is_an_end_to_the_depth)
{
	CLEANUP(scratch_fini) struct scratch s = scratch_new();
	char name[4096] = "t";
	struct digest d = { "" };

	for (int i = 0; i < 66; i++) {
		CHECK_EQ(scratch_mkdir(&s, name), 0);
		CHECK_EQ(digest_path(scratch_path(&s, "t"), &d),
			 i < 64 ? 0 : -ELOOP);
		(void)strncat(name, "/d", sizeof(name) - strlen(name) - 1);
	}
}

TESTS(RUN(sha_256_gives_the_published_values),
      RUN(hmac_gives_the_published_values), RUN(a_file_is_its_bytes),
      RUN(the_order_of_making_does_not_count), RUN(everything_else_counts),
      RUN(names_and_targets_cannot_pass_for_one_another),
      RUN(other_types_are_refused_and_not_waited_for),
      RUN(a_signature_stands_while_nothing_is_written),
      RUN(a_write_that_restores_the_mtime_is_seen),
      RUN(a_write_right_after_a_signature_is_seen),
      RUN(there_is_an_end_to_the_depth))
