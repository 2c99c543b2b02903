/* SPDX-License-Identifier: Apache-2.0 */
/* Signals by the names clients and E2B's SDKs know them. */
#ifndef CPN_AGENT_SIGNALS_H
#define CPN_AGENT_SIGNALS_H

#include "base/macros.h"
#include "base/span.h"

/**
 * signal_parse() - the number of SIGNAL_SIGTERM and its like
 * @name: untrusted
 *
 * Return: the number, above zero, or -EINVAL.
 * Context: any thread.
 */
int signal_parse(struct span name) MUST_CHECK;

/**
 * signal_text() - what E2B's status calls a signal: "killed"
 *
 * Return: a constant, or NULL for a signal without such a text.
 * Context: any thread.
 */
const char *signal_text(int signal);

#endif
