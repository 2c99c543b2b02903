/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem.Filesystem, without the watchers.
 *
 * Spec: reference/e2b-wire.md 2.3
 */
#ifndef CPN_AGENT_FS_RPC_H
#define CPN_AGENT_FS_RPC_H

#include "agent/rpc.h"

rpc_fn fs_stat;
rpc_fn fs_make_dir;
rpc_fn fs_move;
rpc_fn fs_list_dir;
rpc_fn fs_remove;

#endif
