// SPDX-License-Identifier: Apache-2.0
// Processes whose output the shim holds, for late and returning clients.

#include "shim/held.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "wire/connect.h"

/* What clients read when the agent does not end its stream properly. */
static const char broken_end[] =
	"{\"error\":{\"code\":\"unavailable\","
	"\"message\":\"the agent broke off the process's output\"}}";

enum {
	ENVELOPE_MESSAGE_MAX_BYTES = OUTPUT_ENVELOPE_MAX_BYTES -
				     CONNECT_HEADER_BYTES,
};

struct held {
	struct held *next;
	struct held_list *list;
	struct call *call;  /* NULL once it ended */
	struct buf partial; /* received, not yet in the output */
	struct output output;
	struct buf start; /* the first envelope */
	struct buf last;  /* the newest small one */
	struct buf end;	  /* the end-of-stream envelope */
	uint64_t given;	  /* furthest position of any viewer ever */
	uint64_t pid;
	char tag[HELD_TAG_BYTES];
	struct viewer *viewers;
	bool is_blocked; /* the output waits for a viewer */
	bool is_over;	 /* the agent sends no more */
	bool is_ended;	 /* and all of it is in the output */
	bool is_expired;
	struct ev_timer expiry;
};

static void held_free(struct held *held)
{
	struct held **at = &held->list->first;

	while (*at != held)
		at = &(*at)->next;
	*at = held->next;
	held->list->count--;
	if (!held->is_ended)
		held->list->live_count--;
	ev_timer_del(&held->expiry);
	call_drop(&held->call);
	buf_fini(&held->partial);
	output_fini(&held->output);
	buf_fini(&held->start);
	buf_fini(&held->last);
	buf_fini(&held->end);
	mem_free(held);
}

static void wake_viewers(struct held *held)
{
	for (struct viewer *at = held->viewers; at != NULL; at = at->next)
		agenda_add(held->list->agenda, at->task);
}

static uint64_t lowest_viewer(const struct held *held)
{
	uint64_t lowest = OUTPUT_UNREAD;

	for (struct viewer *at = held->viewers; at != NULL; at = at->next) {
		if (at->at < lowest)
			lowest = at->at;
	}
	return lowest;
}

/* The end. */

static void on_expiry(struct ev_timer *timer)
{
	struct held *held = timer->owner;

	held->is_expired = true;
	if (held->viewers == NULL)
		held_free(held);
}

static void end_held(struct held *held)
{
	if (held->is_ended)
		return;
	if (held->end.len == 0 &&
	    connect_put(&held->end, CONNECT_FLAG_END, span_str(broken_end)) < 0)
		held->end.len = 0;
	held->is_ended = true;
	held->list->live_count--;
	call_drop(&held->call);
	buf_fini(&held->partial);
	ev_timer_set(held->list->loop, &held->expiry,
		     clock_boot_ns() + HELD_KEEP_NS, on_expiry, held);
	wake_viewers(held);
}

/* The envelopes of the answer. */

static void drop_json(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

static uint64_t pid_of_start(struct span message)
{
	CLEANUP(drop_json)
	json_t *doc = json_loadb((const char *)message.ptr, message.len, 0,
				 NULL);
	json_t *start = json_object_get(json_object_get(doc, "event"), "start");
	json_int_t pid = json_integer_value(json_object_get(start, "pid"));

	return pid > 0 ? (uint64_t)pid : 0;
}

static int keep(struct buf *kept, struct span envelope)
{
	kept->len = 0;
	if (envelope.len > HELD_EVENT_MAX_BYTES)
		return -E2BIG;
	return buf_put(kept, envelope);
}

/* Return: 0, -EAGAIN to wait for viewers, or what ends the process. */
static int take_envelope(struct held *held, uint8_t flags, struct span message,
			 struct span envelope)
{
	int r = 0;

	if ((flags & CONNECT_FLAG_END) != 0) {
		TRY(keep(&held->end, envelope));
		return -ENODATA;
	}
	if (held->start.len == 0) {
		held->pid = pid_of_start(message);
		TRY(keep(&held->start, envelope));
		return held->pid != 0 ? 0 : -EBADMSG;
	}
	r = output_put(&held->output, envelope, lowest_viewer(held));
	if (r == 0 && keep(&held->last, envelope) < 0)
		held->last.len = 0; /* too large to be the end event */
	return r;
}

/* Move the first envelope of *@rest on. Return: 1 if one was, 0 if none is
 * whole, or as take_envelope(). */
static int move_envelope(struct held *held, struct span *rest)
{
	struct span ahead = *rest;
	struct span message = { 0 };
	uint8_t flags = 0;
	int r = connect_next(&ahead, ENVELOPE_MESSAGE_MAX_BYTES, &flags,
			     &message);

	if (r != 1)
		return r;
	TRY(take_envelope(held, flags, message,
			  span_to(*rest, rest->len - ahead.len)));
	*rest = ahead;
	return 1;
}

/* Move on what is whole, as far as the viewers allow. */
static void digest(struct held *held)
{
	struct span rest = buf_span(&held->partial);
	int r = 1;

	while (r == 1)
		r = move_envelope(held, &rest);
	buf_drop(&held->partial, held->partial.len - rest.len);
	if (held->partial.len == 0)
		buf_fini(&held->partial);
	held->is_blocked = r == -EAGAIN;
	wake_viewers(held);
	if (!held->is_blocked && (r < 0 || held->is_over))
		end_held(held);
}

/* The call's side. */

static bool may_take(struct call *call)
{
	struct held *held = call->owner;

	return !held->is_blocked;
}

static void on_head(struct call *call, const struct http_head *head)
{
	if (!held_is_stream(head))
		end_held(call->owner);
}

static void on_body(struct call *call, struct span piece)
{
	struct held *held = call->owner;

	if (buf_put(&held->partial, piece) < 0)
		end_held(held);
	else
		digest(held);
}

static void on_over(struct call *call)
{
	struct held *held = call->owner;

	call_drop(&held->call);
	held->is_over = true;
	digest(held);
}

static const struct call_ops held_ops = {
	.may_take = may_take,
	.on_head = on_head,
	.on_body = on_body,
	.on_end = on_over,
	.on_fail = on_over,
};

/* The list. */

bool held_is_stream(const struct http_head *head)
{
	struct span type = { 0 };

	return head->status == 200 && http_find(head, "content-type", &type) &&
	       span_is_nocase(type, "application/connect+json");
}

bool held_has_room(const struct held_list *list)
{
	return list->live_count < HELD_LIVE_MAX;
}

/* Invariant 2: the oldest ended process that nobody reads gives way. */
static void evict(struct held_list *list)
{
	struct held *oldest = NULL;

	for (struct held *at = list->first; at != NULL; at = at->next) {
		if (at->is_ended && at->viewers == NULL)
			oldest = at;
	}
	if (list->count >= HELD_MAX && oldest != NULL)
		held_free(oldest);
}

struct held *held_adopt(struct held_list *list, struct call **call,
			const char *tag)
{
	struct held *held = NULL;

	evict(list);
	if (held_has_room(list) && list->count < HELD_MAX)
		held = mem_new(1, sizeof(*held));
	if (held == NULL) {
		call_drop(call);
		return NULL;
	}
	held->list = list;
	held->call = *call;
	*call = NULL;
	held->call->ops = &held_ops;
	held->call->owner = held;
	held->partial = BUF_EMPTY(OUTPUT_ENVELOPE_MAX_BYTES + CALL_SLICE_BYTES);
	held->output = OUTPUT_EMPTY;
	held->start = BUF_EMPTY(HELD_EVENT_MAX_BYTES);
	held->last = BUF_EMPTY(HELD_EVENT_MAX_BYTES);
	held->end = BUF_EMPTY(HELD_EVENT_MAX_BYTES);
	(void)snprintf(held->tag, sizeof(held->tag), "%s", tag);
	held->next = list->first;
	list->first = held;
	list->count++;
	list->live_count++;
	return held;
}

static bool is_meant(const struct held *held,
		     const struct held_selector *selector)
{
	if (selector->pid != 0)
		return held->pid == selector->pid;
	return selector->tag[0] != '\0' &&
	       strcmp(held->tag, selector->tag) == 0;
}

struct held *held_find(struct held_list *list,
		       const struct held_selector *selector)
{
	struct held *at = list->first;

	while (at != NULL && !is_meant(at, selector))
		at = at->next;
	return at;
}

uint64_t held_dropped_bytes(const struct held *held)
{
	return held->output.dropped_bytes;
}

void held_list_fini(struct held_list *list)
{
	while (list->first != NULL)
		held_free(list->first);
}

/* Viewers. */

void held_attach(struct held *held, struct viewer *viewer)
{
	viewer->held = held;
	viewer->at = held->given > held->output.tail ? held->given :
						       held->output.tail;
	viewer->has_start = false;
	viewer->has_end = false;
	viewer->wants_last = held->is_ended &&
			     viewer->at == output_end(&held->output);
	viewer->next = held->viewers;
	held->viewers = viewer;
	agenda_add(held->list->agenda, viewer->task);
}

int viewer_next(const struct viewer *viewer, struct span *ret)
{
	struct held *held = viewer->held;

	if (!viewer->has_start && held->start.len != 0)
		*ret = buf_span(&held->start);
	else if (viewer->at < output_end(&held->output))
		*ret = output_at(&held->output, viewer->at);
	else if (!held->is_ended)
		return 0;
	else if (viewer->wants_last && held->last.len != 0)
		*ret = buf_span(&held->last);
	else if (!viewer->has_end && held->end.len != 0)
		*ret = buf_span(&held->end);
	else
		return -ENODATA;
	return 1;
}

/* Give way before the output, and let the call go on if it waited. */
static void release(struct held *held)
{
	uint64_t floor = lowest_viewer(held);

	output_release(&held->output,
		       floor == OUTPUT_UNREAD ? held->given : floor);
	if (!held->is_blocked)
		return;
	digest(held);
	if (held->call != NULL && !held->is_blocked)
		call_go_on(held->call);
}

void viewer_given(struct viewer *viewer)
{
	struct held *held = viewer->held;

	if (!viewer->has_start && held->start.len != 0) {
		viewer->has_start = true;
	} else if (viewer->at < output_end(&held->output)) {
		viewer->at += output_at(&held->output, viewer->at).len;
		if (viewer->at > held->given)
			held->given = viewer->at;
		release(held);
	} else if (viewer->wants_last) {
		viewer->wants_last = false;
	} else {
		viewer->has_end = true;
	}
}

void viewer_detach(struct viewer *viewer)
{
	struct held *held = viewer->held;
	struct viewer **at = NULL;

	if (held == NULL)
		return;
	at = &held->viewers;
	while (*at != viewer)
		at = &(*at)->next;
	*at = viewer->next;
	viewer->held = NULL;
	if (held->viewers == NULL && held->is_expired)
		held_free(held);
	else
		release(held);
}
