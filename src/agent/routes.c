// SPDX-License-Identifier: Apache-2.0
// Everything the agent serves, in one table.

#include "agent/basics.h"
#include "agent/proc_rpc.h"
#include "agent/request.h"
#include "agent/rpc.h"

#define PROCESS "/process.Process/"

static const struct rpc_call list = { proc_list };
static const struct rpc_call send_input = { proc_send_input };
static const struct rpc_call close_stdin = { proc_close_stdin };
static const struct rpc_call send_signal = { proc_send_signal };
static const struct rpc_call update = { proc_update };

static const struct route routes[] = {
	{ "GET", "/health", &basics_health, .is_open = true },
	{ "POST", "/init", &basics_init, .is_open = true, .is_init = true },
	{ "POST", "/poweroff", &basics_power_off },
	{ "GET", "/envs", &basics_envs },
	{ "GET", "/metrics", &basics_metrics },
	{ "POST", PROCESS "Start", &proc_start, .is_rpc_stream = true },
	{ "POST", PROCESS "Connect", &proc_connect, .is_rpc_stream = true },
	{ "POST", PROCESS "StreamInput", &proc_stream_input,
	  .is_rpc_stream = true },
	{ "POST", PROCESS "List", &rpc_unary, .rpc = &list },
	{ "POST", PROCESS "SendInput", &rpc_unary, .rpc = &send_input },
	{ "POST", PROCESS "CloseStdin", &rpc_unary, .rpc = &close_stdin },
	{ "POST", PROCESS "SendSignal", &rpc_unary, .rpc = &send_signal },
	{ "POST", PROCESS "Update", &rpc_unary, .rpc = &update },
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
