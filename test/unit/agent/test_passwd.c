// SPDX-License-Identifier: Apache-2.0
// Users and groups out of well formed and hostile texts.

#include "agent/passwd.h"

#include "tap.h"

static const char PASSWD[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "broken:x:1\n"
			     "minus:x:-1:0::/:\n"
			     "none:x:4294967295:0::/:\n"
			     "\n"
			     "user:x:1000:1001:A B,,,:/home/user:/bin/sh\n"
			     "user:x:0:0:second:/root:/bin/sh\n"
			     "homeless:x:7:7:::/bin/false\n"
			     "last:x:8:8::/l:/bin/false";

static const char GROUP[] = "root:x:0:\n"
			    "sudo:x:27:other,user\n"
			    "user:x:1001:user\n"
			    "users2:x:100:user2,userx\n"
			    "broken:x:abc:user\n"
			    "docker:x:999:user";

TEST(the_first_entry_of_a_name_counts)
{
	struct passwd_user u = { 0 };

	CHECK_EQ(passwd_find(span_str(PASSWD), span_str("user"), &u), 0);
	CHECK_STR(u.name, "user");
	CHECK_EQ(u.uid, 1000);
	CHECK_EQ(u.gid, 1001);
	CHECK_STR(u.home, "/home/user");
	CHECK_EQ(passwd_find(span_str(PASSWD), span_str("last"), &u), 0);
	CHECK_EQ(u.uid, 8);
	CHECK_EQ(passwd_find(span_str(PASSWD), span_str("homeless"), &u), 0);
	CHECK_STR(u.home, "/");
}

TEST(lines_out_of_form_are_passed_over)
{
	static const char *const names[] = { "broken", "minus", "none",
					     "",       "use",	"root:x" };
	struct passwd_user u = { .uid = 55 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		CHECK_EQ(passwd_find(span_str(PASSWD), span_str(names[i]), &u),
			 -ENOENT);
	CHECK_EQ(u.uid, 55);
}

TEST(groups_that_list_the_user_are_added)
{
	struct passwd_user u = { 0 };

	CHECK_EQ(passwd_find(span_str(PASSWD), span_str("user"), &u), 0);
	passwd_add_groups(span_str(GROUP), &u);
	CHECK_EQ(u.group_count, 3);
	CHECK_EQ(u.groups[0], 1001);
	CHECK_EQ(u.groups[1], 27);
	CHECK_EQ(u.groups[2], 999);
}

TEST(a_thousand_groups_are_cut_short)
{
	static char text[20000];
	struct passwd_user u = { .name = "user", .group_count = 1 };
	size_t at = 0;

	for (int i = 1; i <= 1000; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "g%d:x:%d:user\n", i, i);
	passwd_add_groups(span_of(text, at), &u);
	CHECK_EQ(u.group_count, PASSWD_GROUPS_MAX);
}

TEST(names_of_ids)
{
	char name[PASSWD_NAME_BYTES] = "kept";

	CHECK_EQ(passwd_name(span_str(PASSWD), 1000, name, sizeof(name)), 0);
	CHECK_STR(name, "user");
	CHECK_EQ(passwd_name(span_str(GROUP), 27, name, sizeof(name)), 0);
	CHECK_STR(name, "sudo");
	CHECK_EQ(passwd_name(span_str(GROUP), 4242, name, sizeof(name)),
		 -ENOENT);
	CHECK_STR(name, "sudo");
}

TESTS(RUN(the_first_entry_of_a_name_counts),
      RUN(lines_out_of_form_are_passed_over),
      RUN(groups_that_list_the_user_are_added),
      RUN(a_thousand_groups_are_cut_short), RUN(names_of_ids))
