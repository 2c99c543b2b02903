/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.Process: the service E2B's SDKs run commands with.
 *
 * Spec: reference/e2b-wire.md 2.2
 */
#ifndef CPN_AGENT_PROC_RPC_H
#define CPN_AGENT_PROC_RPC_H

#include "agent/process.h"
#include "agent/rpc.h"

/* Streams. */
extern const struct handler proc_start;	       /* session.c */
extern const struct handler proc_connect;      /* session.c */
extern const struct handler proc_stream_input; /* stream_input.c */

/* Unary calls. */
rpc_fn proc_list;
rpc_fn proc_send_input;
rpc_fn proc_close_stdin;
rpc_fn proc_send_signal;
rpc_fn proc_update;

/**
 * proc_select() - the process a request names, by pid or tag
 * @in:        has a member "process", untrusted
 * @with_ended: whether one that has ended will do
 *
 * Return: the process, or NULL with @error set.
 * Context: a handler.
 */
struct process *proc_select(struct request *r, const json_t *in,
			    bool with_ended, struct rpc_error *error);

/**
 * proc_parse_size() - {"size":{"cols":C,"rows":R}}
 *
 * Return: RPC_OK, or RPC_INVALID_ARGUMENT.
 * Context: any.
 */
enum rpc_code proc_parse_size(const json_t *pty, struct pty_size *ret,
			      struct rpc_error *error) MUST_CHECK;

/**
 * proc_parse_input() - {"input":{"stdin"|"pty":base64}} for a process
 * @ret: empty; receives the bytes
 *
 * Return: RPC_OK, or what is wrong with it.
 * Context: any; allocates.
 */
enum rpc_code proc_parse_input(const struct process *p, const json_t *in,
			       struct buf *ret,
			       struct rpc_error *error) MUST_CHECK;

/**
 * proc_input_error() - name why input could not be written
 *
 * Return: the code.
 * Context: any.
 */
enum rpc_code proc_input_error(int code, struct rpc_error *error);

#endif
