// SPDX-License-Identifier: Apache-2.0
// Everything the agent serves, in one table.

#include "agent/basics.h"
#include "agent/files.h"
#include "agent/fs_rpc.h"
#include "agent/proc_rpc.h"
#include "agent/request.h"
#include "agent/rpc.h"

#define PROCESS "/process.Process/"
#define FILESYSTEM "/filesystem.Filesystem/"
#define UNARY(path, call)                                                      \
	{ "POST", path, &rpc_unary, false, false, false, &(call) }

static const struct rpc_call list = { proc_list };
static const struct rpc_call send_input = { proc_send_input };
static const struct rpc_call close_stdin = { proc_close_stdin };
static const struct rpc_call send_signal = { proc_send_signal };
static const struct rpc_call update = { proc_update };
static const struct rpc_call stat_path = { fs_stat };
static const struct rpc_call make_dir = { fs_make_dir };
static const struct rpc_call move = { fs_move };
static const struct rpc_call list_dir = { fs_list_dir };
static const struct rpc_call remove_path = { fs_remove };

#define MISSING(path) { "POST", path, &rpc_missing, false, false, false, NULL }

#define OPEN true
#define TOKEN false

/* method, path, handler, is_open, is_init, is_rpc_stream, rpc */
static const struct route routes[] = {
	{ "GET", "/health", &basics_health, OPEN, false, false, NULL },
	{ "POST", "/init", &basics_init, OPEN, true, false, NULL },
	{ "POST", "/poweroff", &basics_power_off, TOKEN, false, false, NULL },
	{ "GET", "/envs", &basics_envs, TOKEN, false, false, NULL },
	{ "GET", "/metrics", &basics_metrics, TOKEN, false, false, NULL },
	{ "POST", PROCESS "Start", &proc_start, TOKEN, false, true, NULL },
	{ "POST", PROCESS "Connect", &proc_connect, TOKEN, false, true, NULL },
	{ "POST", PROCESS "StreamInput", &proc_stream_input, TOKEN, false, true,
	  NULL },
	UNARY(PROCESS "List", list),
	UNARY(PROCESS "SendInput", send_input),
	UNARY(PROCESS "CloseStdin", close_stdin),
	UNARY(PROCESS "SendSignal", send_signal),
	UNARY(PROCESS "Update", update),
	{ "GET", "/files", &files_download, TOKEN, false, false, NULL },
	{ "POST", "/files", &files_upload, TOKEN, false, false, NULL },
	UNARY(FILESYSTEM "Stat", stat_path),
	UNARY(FILESYSTEM "MakeDir", make_dir),
	UNARY(FILESYSTEM "Move", move),
	UNARY(FILESYSTEM "ListDir", list_dir),
	UNARY(FILESYSTEM "Remove", remove_path),
	{ "POST", FILESYSTEM "WatchDir", &rpc_missing, TOKEN, false, true,
	  NULL },
	MISSING(FILESYSTEM "CreateWatcher"),
	MISSING(FILESYSTEM "GetWatcherEvents"),
	MISSING(FILESYSTEM "RemoveWatcher"),
};

const struct route *request_route(struct span method, struct span path,
				  bool *ret_known)
{
	*ret_known = false;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (!span_is(path, routes[i].path))
			continue;
		*ret_known = true;
		if (span_is(method, routes[i].method))
			return &routes[i];
	}
	return NULL;
}
