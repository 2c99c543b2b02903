/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients may ask of a sandbox's agent, and which headers travel. Pure.
 *
 * Theory. Paths are matched literally, as they are sent on: nothing is
 * decoded, so nothing can be read in two ways. Headers travel only if they
 * are listed: a client's API key or cookie is none of the guest's business,
 * and a guest sets no cookie in anybody's browser.
 */
#ifndef CPN_SHIM_ROUTE_H
#define CPN_SHIM_ROUTE_H

#include "wire/http1.h"

enum route_kind {
	ROUTE_NONE,    /* not found */
	ROUTE_HEALTH,  /* needs no token */
	ROUTE_PLAIN,   /* HTTP: files, metrics */
	ROUTE_RPC,     /* Connect protocol, passed through */
	ROUTE_START,   /* its answer is held by the shim */
	ROUTE_CONNECT, /* may be answered by the shim */
	ROUTE_KIND_COUNT,
};

/**
 * route_find() - what a request asks for
 * @head: untrusted
 *
 * Return: its kind; ROUTE_NONE also for a method that does not go with the
 * path.
 * Context: any thread.
 */
enum route_kind route_find(const struct http_head *head);

/**
 * route_is_rpc() - whether clients of a route read Connect errors
 *
 * Return: true if so.
 * Context: any thread.
 */
bool route_is_rpc(enum route_kind kind);

/**
 * route_put_request_headers() - those headers of a request that travel
 * @out: receives header lines, Host included
 *
 * Return: as http_put_header().
 * Context: any thread; may allocate.
 */
int route_put_request_headers(const struct http_head *head,
			      struct buf *out) MUST_CHECK;

/**
 * route_put_response_headers() - those headers of an answer that travel
 *
 * Return: as http_put_header().
 * Context: any thread; may allocate.
 */
int route_put_response_headers(const struct http_head *head,
			       struct buf *out) MUST_CHECK;

#endif
