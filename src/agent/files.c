// SPDX-License-Identifier: Apache-2.0
// What up- and download share: whose file, which path, which error.

#include "agent/files.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/path.h"
#include "agent/rpc.h"

static const struct {
	int code;
	unsigned status;
	const char *format; /* takes the path */
} answers[] = {
	{ -ENOENT, 404, "path '%s' does not exist" },
	{ -ENOTDIR, 400, "path '%s' leads through what is no directory" },
	{ -EISDIR, 400, "path '%s' is a directory" },
	{ -ENAMETOOLONG, 400, "path '%s' is too long" },
	{ -EINVAL, 400, "path '%s' is not allowed" },
	{ -ELOOP, 400, "path '%s' has too many links" },
	{ -EACCES, 403, "path '%s' is forbidden" },
	{ -EPERM, 403, "path '%s' is forbidden" },
	{ -EROFS, 403, "path '%s' is on a read-only file system" },
	{ -ENOSPC, 507, "not enough disk space for '%s'" },
	{ -EDQUOT, 507, "not enough disk space for '%s'" },
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* from the table */
void files_fail(struct request *r, const char *path, int code)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (answers[i].code == code) {
			request_fail(r, answers[i].status, answers[i].format,
				     path);
			return;
		}
	}
	request_fail(r, 500, "path '%s': %s", path, strerror(-code));
}
#pragma GCC diagnostic pop

/* A query parameter. Return: whether it is absent or well formed. */
static bool read_parameter(struct request *r, const struct http_head *head,
			   const char *name, char *ret, size_t cap)
{
	int code = http_query_get(head->query, name, ret, cap);

	if (code == 0)
		ret[0] = '\0';
	if (code >= 0)
		return true;
	request_fail(r, 400, "the parameter %s is %s", name,
		     code == -ENAMETOOLONG ? "too long" : "malformed");
	return false;
}

bool files_target(struct request *r, const struct http_head *head,
		  struct file_target *ret)
{
	char name[REQUEST_USER_BYTES];
	struct rpc_error error = { 0 };

	if (!read_parameter(r, head, "path", ret->path, sizeof(ret->path)) ||
	    !read_parameter(r, head, "username", name, sizeof(name)))
		return false;
	if (name[0] != '\0')
		memcpy(r->user, name, sizeof(name));
	if (rpc_user(r, &ret->user, &error) == RPC_OK)
		return true;
	request_fail(r, 401, "%s", error.message);
	return false;
}

bool files_resolve(struct request *r, const struct passwd_user *user,
		   const char *given, char *ret)
{
	int code = path_resolve(given, user->home,
				r->agent->identity.default_workdir, ret,
				PATH_MAX);

	if (code == 0)
		return true;
	files_fail(r, given, code);
	return false;
}

int files_make_parents(const char *path, const struct passwd_user *user)
{
	char at[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		memcpy(at, path, (size_t)(slash - path));
		at[slash - path] = '\0';
		if (mkdir(at, 0755) == 0) {
			if (lchown(at, user->uid, user->gid) < 0)
				return neg_errno();
		} else if (errno != EEXIST) {
			return neg_errno();
		}
	}
	return 0;
}
