// SPDX-License-Identifier: Apache-2.0
// What a process is started with: argv, environment.

#include "agent/environment.h"

#include <string.h>

#include "base/mem.h"

#define DEFAULT_PATH                                                           \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void strings_fini(struct strings *s)
{
	mem_free(s->list);
	buf_fini(&s->text);
	s->list = NULL;
}

static int add_string(struct strings *s, const char *key, const char *value)
{
	if (key != NULL) {
		TRY(buf_put_str(&s->text, key));
		TRY(buf_put_str(&s->text, "="));
	}
	TRY(buf_put_str(&s->text, value));
	return buf_put(&s->text, span_of("", 1));
}

/* Makes the list once the text no longer moves. */
static int index_strings(struct strings *s, size_t count)
{
	char *at = (char *)s->text.ptr;

	s->list = mem_new(count + 1, sizeof(*s->list));
	if (s->list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		s->list[i] = at;
		at += strlen(at) + 1;
	}
	return 0;
}

int strings_of_command(const json_t *config, struct strings *ret)
{
	const char *cmd = json_string_value(json_object_get(config, "cmd"));
	const json_t *args = json_object_get(config, "args");
	size_t count = json_array_size(args);

	ret->text = BUF_EMPTY(STRINGS_MAX_BYTES);
	if (cmd == NULL || cmd[0] == '\0' || count > STRINGS_COUNT_MAX ||
	    (args != NULL && !json_is_array(args)))
		return -EINVAL;
	TRY(add_string(ret, NULL, cmd));
	for (size_t i = 0; i < count; i++) {
		const json_t *arg = json_array_get(args, i);

		if (!json_is_string(arg))
			return -EINVAL;
		TRY(add_string(ret, NULL, json_string_value(arg)));
	}
	return index_strings(ret, count + 1);
}

static int check_variables(json_t *own)
{
	const char *name = NULL;
	json_t *value = NULL;

	if (own == NULL || json_is_null(own))
		return 0;
	if (!json_is_object(own))
		return -EINVAL;
	json_object_foreach(own, name, value) {
		if (name[0] == '\0' || strchr(name, '=') != NULL ||
		    !json_is_string(value))
			return -EINVAL;
	}
	return 0;
}

static int add_variables(struct strings *s, json_t *all)
{
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach(all, name, value)
		TRY(add_string(s, name, json_string_value(value)));
	return index_strings(s, json_object_size(all));
}

int strings_of_environment(const struct passwd_user *user, json_t *common,
			   json_t *own, struct strings *ret)
{
	json_t *all = NULL;
	int r = 0;

	ret->text = BUF_EMPTY(STRINGS_MAX_BYTES);
	TRY(check_variables(own));
	all = json_pack("{s:s,s:s,s:s,s:s}", "PATH", DEFAULT_PATH, "HOME",
			user->home, "USER", user->name, "LOGNAME", user->name);
	if (all == NULL)
		return -EINVAL;
	(void)json_object_update(all, common);
	(void)json_object_update(all, own);
	r = json_object_size(all) > STRINGS_COUNT_MAX ? -E2BIG :
							add_variables(ret, all);
	json_decref(all);
	return r;
}
