// SPDX-License-Identifier: Apache-2.0
// Users and groups: the first line is the name, the rest both files.

#include <stdlib.h>
#include <string.h>

#include "agent/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span in = span_of(bytes, len);
	const uint8_t *end = len == 0 ? NULL : memchr(bytes, '\n', len);
	size_t name_len = end == NULL ? len : (size_t)(end - bytes);
	struct passwd_user user = { 0 };
	char name[PASSWD_NAME_BYTES];

	if (passwd_find(span_from(in, name_len), span_to(in, name_len),
			&user) == 0) {
		must(span_is(span_to(in, name_len), user.name));
		must(user.uid != UINT32_MAX && user.gid != UINT32_MAX);
		must(user.home[0] == '/' && user.group_count == 1);
		must(passwd_name(span_from(in, name_len), user.uid, name,
				 sizeof(name)) == 0);
		passwd_add_groups(in, &user);
		must(user.group_count <= PASSWD_GROUPS_MAX);
	}
	return 0;
}
