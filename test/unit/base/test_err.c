// SPDX-License-Identifier: Apache-2.0
// Error sentences: the first wins, and what is said when there is none.

#include "base/err.h"

#include "tap.h"

TEST(the_first_sentence_wins)
{
	struct err e = { 0 };

	CHECK_EQ(err_set(&e, -EINVAL, "cannot %s: %d", "add", 7), -EINVAL);
	CHECK_EQ(err_set(&e, -EIO, "%s", "later"), -EIO);
	CHECK_EQ(e.code, -EINVAL);
	CHECK_STR(err_text(&e, -EIO), "cannot add: 7");
}

TEST(without_a_sentence_the_errno_speaks)
{
	struct err e = { 0 };

	CHECK_STR(err_text(&e, -ENOENT), "No such file or directory");
	CHECK_STR(err_text(NULL, -EACCES), "Permission denied");
	CHECK_STR(err_text(NULL, -99999), "unknown error");
	CHECK_EQ(err_set(NULL, -EPERM, "%s", "nobody hears"), -EPERM);
}

TEST(a_long_sentence_is_cut_not_overrun)
{
	struct err e = { 0 };
	char text[2 * ERR_TEXT_BYTES];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CHECK_EQ(err_set(&e, -EIO, "%s", text), -EIO);
	CHECK_EQ(strlen(err_text(&e, -EIO)), ERR_TEXT_BYTES - 1);
}

TESTS(RUN(the_first_sentence_wins), RUN(without_a_sentence_the_errno_speaks),
      RUN(a_long_sentence_is_cut_not_overrun))
