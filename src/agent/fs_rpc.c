// SPDX-License-Identifier: Apache-2.0
// filesystem.Filesystem, without the watchers.

#include "agent/fs_rpc.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/entry.h"
#include "agent/files.h"
#include "agent/path.h"
#include "base/mem.h"

enum {
	WALK_FDS = 32,
	DEPTH_MAX = 64,
	ENTRIES_MAX = 20000, /* what fits into one answer */
};

/* One request: for whom, and about which path. */
struct fs_call {
	struct passwd_user user;
	char path[PATH_MAX];
};

static enum rpc_code fail(struct rpc_error *error, const char *path, int code)
{
	return rpc_error(error, rpc_of_errno(code), "path '%s': %s", path,
			 strerror(-code));
}

static enum rpc_code resolve(struct request *r, const struct passwd_user *user,
			     const char *given, char *ret,
			     struct rpc_error *error)
{
	int code = path_resolve(given, user->home,
				r->agent->identity.default_workdir, ret,
				PATH_MAX);

	return code < 0 ? fail(error, given, code) : RPC_OK;
}

static enum rpc_code begin(struct request *r, const json_t *in,
			   struct fs_call *ret, struct rpc_error *error)
{
	if (rpc_user(r, &ret->user, error) != RPC_OK)
		return error->code;
	return resolve(r, &ret->user, rpc_text(in, "path"), ret->path, error);
}

/* {"entry":…} of a path. */
static enum rpc_code answer_entry(const char *path, json_t **ret_out,
				  struct rpc_error *error)
{
	CLEANUP(entry_names_fini) struct entry_names names = { 0 };
	json_t *entry = NULL;
	int code = 0;

	entry_names_load(&names);
	code = entry_describe(path, &names, &entry);
	if (code < 0)
		return fail(error, path, code);
	*ret_out = json_pack("{s:o}", "entry", entry);
	return RPC_OK;
}

enum rpc_code fs_stat(struct request *r, json_t *in, json_t **ret_out,
		      struct rpc_error *error)
{
	struct fs_call call = { 0 };

	if (begin(r, in, &call, error) != RPC_OK)
		return error->code;
	return answer_entry(call.path, ret_out, error);
}

enum rpc_code fs_make_dir(struct request *r, json_t *in, json_t **ret_out,
			  struct rpc_error *error)
{
	struct fs_call call = { 0 };
	struct stat st = { 0 };
	int code = 0;

	if (begin(r, in, &call, error) != RPC_OK)
		return error->code;
	if (stat(call.path, &st) == 0)
		return S_ISDIR(st.st_mode) ?
			       rpc_error(error, RPC_ALREADY_EXISTS,
					 "directory already exists: %s",
					 call.path) :
			       rpc_error(error, RPC_INVALID_ARGUMENT,
					 "path already exists but it is not a "
					 "directory: %s",
					 call.path);
	code = files_make_parents(call.path, &call.user);
	if (code == 0 && (mkdir(call.path, 0755) < 0 ||
			  lchown(call.path, call.user.uid, call.user.gid) < 0))
		code = neg_errno();
	if (code < 0)
		return fail(error, call.path, code);
	return answer_entry(call.path, ret_out, error);
}

enum rpc_code fs_move(struct request *r, json_t *in, json_t **ret_out,
		      struct rpc_error *error)
{
	struct fs_call call = { 0 };
	char destination[PATH_MAX];
	int code = 0;

	if (rpc_user(r, &call.user, error) != RPC_OK ||
	    resolve(r, &call.user, rpc_text(in, "source"), call.path, error) !=
		    RPC_OK ||
	    resolve(r, &call.user, rpc_text(in, "destination"), destination,
		    error) != RPC_OK)
		return error->code;
	code = access(call.path, F_OK) < 0 ? neg_errno() : 0;
	if (code == 0)
		code = files_make_parents(destination, &call.user);
	if (code == 0 && rename(call.path, destination) < 0)
		code = neg_errno();
	if (code < 0)
		return fail(error, call.path, code);
	return answer_entry(destination, ret_out, error);
}

/* ---- ListDir ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int list(const char *dir, unsigned depth,
		const struct entry_names *names, json_t *entries);

static int list_one(const char *dir, const struct dirent *at, unsigned depth,
		    const struct entry_names *names, json_t *entries)
{
	char path[PATH_MAX];
	json_t *entry = NULL;
	struct stat st = { 0 };
	int n = 0;

	if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
		return 0;
	n = snprintf(path, sizeof(path), "%s/%s",
		     strcmp(dir, "/") == 0 ? "" : dir, at->d_name);
	/* What cannot be said in JSON, or is gone again, is left out. */
	if (n < 0 || (size_t)n >= sizeof(path) ||
	    entry_describe(path, names, &entry) < 0)
		return 0;
	if (json_array_append_new(entries, entry) < 0)
		return -ENOMEM;
	if (json_array_size(entries) > ENTRIES_MAX)
		return -E2BIG;
	if (depth > 1 && lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
		(void)!list(path, depth - 1, names, entries);
	return 0;
}

static int list(const char *dir, unsigned depth,
		const struct entry_names *names, json_t *entries)
{
	struct dirent **found = NULL;
	int count = scandir(dir, &found, NULL, by_name);
	int r = count < 0 ? neg_errno() : 0;

	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = list_one(dir, found[i], depth, names, entries);
		mem_free(found[i]);
	}
	mem_free(found);
	return r;
}

enum rpc_code fs_list_dir(struct request *r, json_t *in, json_t **ret_out,
			  struct rpc_error *error)
{
	CLEANUP(entry_names_fini) struct entry_names names = { 0 };
	const json_t *depth = json_object_get(in, "depth");
	json_int_t levels = depth == NULL ? 1 : json_integer_value(depth);
	struct fs_call call = { 0 };
	json_t *entries = NULL;
	int code = 0;

	if (levels < 1)
		return rpc_error(error, RPC_INVALID_ARGUMENT,
				 "depth should be at least one");
	if (begin(r, in, &call, error) != RPC_OK)
		return error->code;
	entries = json_array();
	entry_names_load(&names);
	code = list(call.path,
		    levels > DEPTH_MAX ? DEPTH_MAX : (unsigned)levels, &names,
		    entries);
	if (code < 0) {
		json_decref(entries);
		return code == -E2BIG ?
			       rpc_error(error, RPC_RESOURCE_EXHAUSTED,
					 "more than %d entries below '%s'",
					 ENTRIES_MAX, call.path) :
			       fail(error, call.path, code);
	}
	*ret_out = json_pack("{s:o}", "entries", entries);
	return RPC_OK;
}

/* ---- Remove ---- */

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path) < 0 && errno != ENOENT ? neg_errno() : 0;
}

enum rpc_code fs_remove(struct request *r, json_t *in, json_t **ret_out,
			struct rpc_error *error)
{
	struct fs_call call = { 0 };
	int code = 0;

	if (begin(r, in, &call, error) != RPC_OK)
		return error->code;
	code = nftw(call.path, remove_one, WALK_FDS,
		    FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (code == -1)
		code = errno == ENOENT ? 0 : neg_errno();
	if (code < 0)
		return fail(error, call.path, code);
	*ret_out = json_object();
	return RPC_OK;
}
