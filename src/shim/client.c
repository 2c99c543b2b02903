// SPDX-License-Identifier: Apache-2.0
// One connection to api.sock.
//
// Theory. A client rests, pipes a request to the agent, collects the body of a
// Connect request, or views a held process; `activity` says which and move_to()
// moves it. All reading and writing is done by its task, run().

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "shim/api.h"
#include "wire/connect.h"

/* Reads or writes in one turn, before others get theirs. */
enum { CLIENT_ROUNDS = 4 };

enum activity {
	CLIENT_RESTS,
	CLIENT_ASKS, /* its Connect request is being collected */
	CLIENT_PIPES,
	CLIENT_VIEWS,
	CLIENT_ACTIVITY_COUNT,
};

static const bool moves[CLIENT_ACTIVITY_COUNT][CLIENT_ACTIVITY_COUNT] = {
	[CLIENT_RESTS] = { [CLIENT_RESTS] = true, /* refused */
			   [CLIENT_ASKS] = true,
			   [CLIENT_PIPES] = true },
	[CLIENT_ASKS] = { [CLIENT_RESTS] = true,
			  [CLIENT_PIPES] = true,
			  [CLIENT_VIEWS] = true },
	[CLIENT_PIPES] = { [CLIENT_RESTS] = true, [CLIENT_VIEWS] = true },
	[CLIENT_VIEWS] = { [CLIENT_RESTS] = true },
};

struct client {
	struct client *next;
	struct api *api;
	int fd;
	struct ev_io io;
	struct ev_timer deadline;
	struct task task;
	struct http_server http;
	struct buf unread; /* received, not yet taken by http */
	enum activity activity;
	enum route_kind route;
	struct buf headers; /* of the request to the agent */
	struct buf peeked;  /* the request's body, as far as looked into */
	bool is_peekable;   /* all of it is in @peeked */
	bool is_request_done;
	bool is_heading; /* a head is being received */
	bool is_readable;
	bool is_dead;
	struct call *call;
	struct viewer viewer;
	char tag[HELD_TAG_BYTES];
};

struct client *client_next(const struct client *client)
{
	return client->next;
}

static void kick(struct client *client)
{
	agenda_add(client->api->agenda, &client->task);
}

/* Activities. */

static void count_busy(struct api *api, bool was_busy, bool is_busy)
{
	if (is_busy == was_busy)
		return;
	api->busy_count += is_busy ? 1 : (size_t)-1;
	if (api->busy_count == (is_busy ? 1 : 0))
		api->on_busy(api);
}

static void on_deadline(struct ev_timer *timer)
{
	struct client *client = timer->owner;

	client->is_dead = true;
	kick(client);
	client->api->on_turn(client->api);
}

static void set_deadline(struct client *client, uint64_t in_ns)
{
	ev_timer_set(client->api->loop, &client->deadline,
		     clock_boot_ns() + in_ns, on_deadline, client);
}

static void move_to(struct client *client, enum activity to)
{
	enum activity from = client->activity;

	if (!moves[from][to])
		return;
	client->activity = to;
	count_busy(client->api, from != CLIENT_RESTS, to != CLIENT_RESTS);
	if (to == CLIENT_RESTS)
		set_deadline(client, API_REST_NS);
	else
		ev_timer_del(&client->deadline);
	client->is_heading = false;
	kick(client);
}

/* The request is over, one way or another. */
static void end_request(struct client *client)
{
	struct api *api = client->api;

	/* A process outlives the client that started it. */
	if (client->call != NULL && client->route == ROUTE_START &&
	    client->is_request_done && !client->call->has_head &&
	    !client->call->is_over)
		(void)held_adopt(&api->held, &client->call, client->tag);
	call_drop(&client->call);
	viewer_detach(&client->viewer);
	buf_fini(&client->headers);
	buf_fini(&client->peeked);
	client->tag[0] = '\0';
	move_to(client, CLIENT_RESTS);
}

/* Refusals. */

struct refusal {
	unsigned status;
	const char *code; /* Connect's name for it */
	const char *message;
};

static const struct refusal not_found = {
	404, "not_found", "the sandbox's API has no such path"
};
static const struct refusal no_token = {
	401, "unauthenticated", "the header X-Access-Token is missing or wrong"
};
static const struct refusal not_ready = {
	503, "unavailable", "the sandbox is not ready yet or not any more"
};
static const struct refusal too_many = {
	429, "resource_exhausted",
	"too many processes are running in this sandbox; end one"
};
static const struct refusal no_memory = {
	503, "unavailable", "the sandbox's shim is out of memory; try again"
};
static const struct refusal too_large = {
	413, "resource_exhausted", "the request is larger than a selector"
};

static void refuse(struct client *client, const struct refusal *refusal)
{
	char body[256];
	int len = 0;

	if (route_is_rpc(client->route))
		len = snprintf(body, sizeof(body),
			       "{\"code\":\"%s\",\"message\":\"%s\"}",
			       refusal->code, refusal->message);
	else
		len = snprintf(body, sizeof(body),
			       "{\"code\":%u,\"message\":\"%s\"}",
			       refusal->status, refusal->message);
	if (http_reply(&client->http, refusal->status, "application/json",
		       span_of(body, (size_t)len)) < 0)
		client->is_dead = true;
	end_request(client);
}

/* The shape in which E2B's edge says that a sandbox is of no use. */
static void answer_502(struct client *client, const char *message)
{
	char body[256];
	int len = snprintf(body, sizeof(body),
			   "{\"sandboxId\":\"%s\",\"message\":\"%s\","
			   "\"code\":502}",
			   client->api->sandbox_id, message);

	if (http_reply(&client->http, 502, "application/json",
		       span_of(body, (size_t)len)) < 0)
		http_reply_abort(&client->http);
}

static const struct refusal *admit(const struct client *client,
				   const struct http_head *head)
{
	const struct api *api = client->api;
	struct span token = { 0 };

	if (client->route == ROUTE_NONE)
		return &not_found;
	if (client->route != ROUTE_HEALTH &&
	    (!http_find(head, "x-access-token", &token) ||
	     !span_eq_secret(token, span_str(api->token))))
		return &no_token;
	if (!api->is_serving)
		return &not_ready;
	if (client->route == ROUTE_START && !held_has_room(&api->held))
		return &too_many;
	return NULL;
}

/* Viewing a held process. */

static void view(struct client *client, struct held *held)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(512);

	held_attach(held, &client->viewer);
	if (http_put_header(&headers, "Content-Type",
			    span_str("application/connect+json")) < 0 ||
	    buf_printf(&headers, "X-Caponier-Dropped-Bytes: %ju\r\n",
		       (uintmax_t)held_dropped_bytes(held)) < 0 ||
	    http_reply_start(&client->http, 200, buf_span(&headers),
			     HTTP_LENGTH_UNKNOWN) < 0) {
		client->is_dead = true;
		return;
	}
	move_to(client, CLIENT_VIEWS);
}

static bool has_out_room(const struct client *client)
{
	return http_server_output(&client->http).len <= API_OUT_HIGH_BYTES;
}

/* Give the viewer what there is, as far as the client takes it. */
static void give(struct client *client)
{
	struct span envelope = { 0 };
	int r = 1;

	while (has_out_room(client)) {
		r = viewer_next(&client->viewer, &envelope);
		if (r <= 0)
			break;
		if (http_reply_piece(&client->http, envelope) < 0) {
			client->is_dead = true;
			return;
		}
		viewer_given(&client->viewer);
	}
	if (r != -ENODATA)
		return;
	if (http_reply_end(&client->http) < 0)
		client->is_dead = true;
	end_request(client);
}

/* The agent's answer. */

static bool may_take(struct call *call)
{
	return has_out_room(call->owner);
}

static void on_answer_fail(struct call *call)
{
	struct client *client = call->owner;

	if (call->has_head)
		http_reply_abort(&client->http);
	else
		answer_502(client, "The sandbox's agent gave no valid answer");
	end_request(client);
}

static void pipe_answer(struct client *client, const struct http_head *head)
{
	CLEANUP(buf_fini) struct buf headers = BUF_EMPTY(HTTP_HEAD_MAX_BYTES);
	uint64_t length = HTTP_LENGTH_UNKNOWN;

	if (head->framing == HTTP_NO_BODY)
		length = 0;
	else if (head->framing == HTTP_LENGTH)
		length = head->content_length;
	if (route_put_response_headers(head, &headers) < 0 ||
	    http_reply_start(&client->http, head->status, buf_span(&headers),
			     length) < 0) {
		answer_502(client, "The sandbox's agent gave no valid answer");
		end_request(client);
	}
	kick(client);
}

static void on_answer_head(struct call *call, const struct http_head *head)
{
	struct client *client = call->owner;
	struct held *held = NULL;

	if (client->route != ROUTE_START || !held_is_stream(head)) {
		pipe_answer(client, head);
		return;
	}
	held = held_adopt(&client->api->held, &client->call, client->tag);
	if (held == NULL)
		refuse(client, &too_many);
	else
		view(client, held);
}

static void on_answer_body(struct call *call, struct span piece)
{
	struct client *client = call->owner;

	/* Fits: may_take() and invariant 2 of call.h. */
	if (http_reply_piece(&client->http, piece) < 0)
		client->is_dead = true;
	kick(client);
}

static void on_answer_end(struct call *call)
{
	struct client *client = call->owner;

	if (http_reply_end(&client->http) < 0)
		client->is_dead = true;
	end_request(client);
}

static void on_request_room(struct call *call)
{
	kick(call->owner);
}

static const struct call_ops call_ops = {
	.may_take = may_take,
	.on_head = on_answer_head,
	.on_body = on_answer_body,
	.on_end = on_answer_end,
	.on_fail = on_answer_fail,
	.on_room = on_request_room,
};

/* The client's request. */

static uint64_t request_length(const struct http_head *head)
{
	if (head->framing == HTTP_CHUNKED)
		return HTTP_LENGTH_UNKNOWN;
	return head->framing == HTTP_LENGTH ? head->content_length : 0;
}

static void begin_call(struct client *client, const char *method,
		       struct span target, uint64_t length)
{
	client->call = call_new(client->api->link, &call_ops, client);
	if (client->call == NULL ||
	    call_start(client->call, method, target, buf_span(&client->headers),
		       length) < 0) {
		refuse(client, &no_memory);
		return;
	}
	move_to(client, CLIENT_PIPES);
}

static void on_request(struct http_server *http, const struct http_head *head)
{
	struct client *client = http->owner;
	const struct refusal *refusal = NULL;

	client->route = route_find(head);
	client->is_request_done = false;
	client->is_peekable = route_is_rpc(client->route);
	client->headers = BUF_EMPTY(HTTP_HEAD_MAX_BYTES);
	client->peeked = BUF_EMPTY(API_PEEK_MAX_BYTES);
	refusal = admit(client, head);
	if (refusal == NULL &&
	    route_put_request_headers(head, &client->headers) < 0)
		refusal = &no_memory;
	if (refusal != NULL)
		refuse(client, refusal);
	else if (client->route == ROUTE_CONNECT)
		move_to(client, CLIENT_ASKS);
	else
		begin_call(client,
			   span_is(head->method, "GET") ? "GET" : "POST",
			   head->target, request_length(head));
}

/* Keep a copy of what the shim looks into. */
static void peek(struct client *client, struct span piece)
{
	if (client->route != ROUTE_START && client->route != ROUTE_CONNECT)
		return;
	if (!client->is_peekable || buf_put(&client->peeked, piece) == 0)
		return;
	client->is_peekable = false;
	buf_fini(&client->peeked);
	if (client->route == ROUTE_CONNECT)
		refuse(client, &too_large);
}

static void on_body(struct http_server *http, struct span piece)
{
	struct client *client = http->owner;

	peek(client, piece);
	if (client->call == NULL)
		return;
	/* Fits: run() feeds only while call_has_room(). */
	if (call_body(client->call, piece) < 0)
		client->is_dead = true;
}

static void drop_json(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

/* The first message of a peeked body, or NULL. */
static json_t *peeked_message(const struct client *client)
{
	struct span body = buf_span(&client->peeked);
	struct span message = { 0 };
	uint8_t flags = 0;

	if (!client->is_peekable ||
	    connect_next(&body, API_PEEK_MAX_BYTES, &flags, &message) != 1)
		return NULL;
	return json_loadb((const char *)message.ptr, message.len, 0, NULL);
}

static void copy_tag(char to[HELD_TAG_BYTES], json_t *tag)
{
	if (!json_is_string(tag) ||
	    span_copy_str(span_of(json_string_value(tag),
				  json_string_length(tag)),
			  to, HELD_TAG_BYTES) < 0)
		to[0] = '\0';
}

/* Which process a Connect request means; one the shim does not know is left
 * to the agent. */
static struct held *find_selected(struct client *client)
{
	CLEANUP(drop_json) json_t *doc = peeked_message(client);
	json_t *process = json_object_get(doc, "process");
	json_int_t pid = json_integer_value(json_object_get(process, "pid"));
	struct held_selector selector = { .pid = pid > 0 ? (uint64_t)pid : 0 };

	copy_tag(selector.tag, json_object_get(process, "tag"));
	return held_find(&client->api->held, &selector);
}

static void connect_to_process(struct client *client)
{
	struct held *held = find_selected(client);

	if (held != NULL) {
		view(client, held);
		return;
	}
	begin_call(client, "POST", span_str("/process.Process/Connect"),
		   client->peeked.len);
	if (client->call != NULL &&
	    call_body(client->call, buf_span(&client->peeked)) < 0)
		client->is_dead = true;
}

static void note_tag(struct client *client)
{
	CLEANUP(drop_json) json_t *doc = peeked_message(client);

	copy_tag(client->tag, json_object_get(doc, "tag"));
	buf_fini(&client->peeked);
}

static void on_end(struct http_server *http)
{
	struct client *client = http->owner;

	client->is_request_done = true;
	if (client->activity == CLIENT_ASKS) {
		connect_to_process(client);
		return;
	}
	if (client->route == ROUTE_START)
		note_tag(client);
	if (client->call != NULL && call_body_end(client->call) < 0)
		client->is_dead = true;
}

/* The request's framing broke, or the connection ends. */
static void on_gone(struct http_server *http)
{
	end_request(http->owner);
}

static const struct http_server_ops http_ops = {
	.on_request = on_request,
	.on_body = on_body,
	.on_end = on_end,
	.on_gone = on_gone,
};

/* The task. */

static void client_free(struct client *client)
{
	struct api *api = client->api;
	struct client **at = &api->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	api->client_count--;
	ev_io_del(&client->io);
	fd_close(&client->fd);
	http_server_fini(&client->http);
	end_request(client);
	ev_timer_del(&client->deadline);
	agenda_forget(api->agenda, &client->task);
	buf_fini(&client->unread);
	mem_free(client);
}

static bool may_feed(const struct client *client)
{
	return client->call == NULL || call_has_room(client->call);
}

static int feed(struct client *client, struct span *bytes)
{
	size_t had = bytes->len;
	int r = http_server_feed(&client->http, bytes);

	/* Bytes taken while resting are the beginning of a head. */
	if (client->activity == CLIENT_RESTS && bytes->len < had &&
	    !client->is_heading) {
		client->is_heading = true;
		set_deadline(client, API_HEAD_NS);
	}
	return r;
}

static int feed_unread(struct client *client)
{
	struct span rest = buf_span(&client->unread);
	int r = 0;

	if (rest.len == 0 || !may_feed(client))
		return 0;
	r = feed(client, &rest);
	buf_drop(&client->unread, client->unread.len - rest.len);
	if (rest.len == 0)
		buf_fini(&client->unread);
	return r;
}

static int read_once(struct client *client)
{
	struct api *api = client->api;
	struct span bytes = { 0 };
	ssize_t n = 0;

	if (!client->is_readable || client->unread.len != 0 ||
	    !may_feed(client))
		return 0;
	client->is_readable = false;
	n = fd_read(client->fd, api->read_bytes, sizeof(api->read_bytes));
	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return -ECONNRESET;
	bytes = span_of(api->read_bytes, (size_t)n);
	TRY(feed(client, &bytes));
	return buf_put(&client->unread, bytes);
}

/* Return: 0 if all was written or nothing more can be, or -errno. */
static int write_out(struct client *client)
{
	for (int i = 0; i < CLIENT_ROUNDS; i++) {
		struct span out = http_server_output(&client->http);
		ssize_t n = 0;

		if (out.len == 0)
			return 0;
		n = fd_write(client->fd, out);
		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		http_server_sent(&client->http, (size_t)n);
		if (client->activity == CLIENT_VIEWS)
			give(client);
	}
	return 0;
}

static void set_interest(struct client *client)
{
	uint32_t events = 0;

	if (client->unread.len == 0 && may_feed(client))
		events |= EPOLLIN;
	if (http_server_output(&client->http).len != 0)
		events |= EPOLLOUT;
	ev_io_set(&client->io, events);
}

/* One turn. Return: 0, or -errno if the connection is to be closed. */
static int serve(struct client *client)
{
	TRY(feed_unread(client));
	TRY(read_once(client));
	if (client->activity == CLIENT_VIEWS)
		give(client);
	TRY(write_out(client));
	return client->is_dead ? -ECONNABORTED : 0;
}

static bool has_output(const struct client *client)
{
	return http_server_output(&client->http).len != 0;
}

static void run(struct task *task)
{
	struct client *client = task->owner;
	bool was_full = !has_out_room(client);
	int r = serve(client);

	if (r < 0 ||
	    (http_server_is_over(&client->http) && !has_output(client))) {
		client_free(client);
		return;
	}
	if (client->call != NULL && was_full && has_out_room(client))
		call_go_on(client->call);
	/* The next request waited for the answer to be written. */
	if (client->unread.len != 0 && client->activity == CLIENT_RESTS &&
	    !has_output(client))
		kick(client);
	set_interest(client);
}

static void on_ready(struct ev_io *io, uint32_t events)
{
	struct client *client = io->owner;

	/* A hang-up is seen by reading what came before it; where that waits,
	 * nobody is left to wait for. */
	if ((io->events & EPOLLIN) != 0)
		client->is_readable = true;
	else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		client->is_dead = true;
	kick(client);
	client->api->on_turn(client->api);
}

int client_new(struct api *api, int fd)
{
	CLEANUP(fd_close) int owned = fd;
	struct client *client = mem_new(1, sizeof(*client));
	int r = 0;

	if (client == NULL)
		return -ENOMEM;
	r = ev_io_add(api->loop, &client->io, fd, EPOLLIN, on_ready, client);
	if (r < 0) {
		mem_free(client);
		return r;
	}
	client->api = api;
	client->fd = fd_take(&owned);
	client->task = (struct task){ .run = run, .owner = client };
	client->viewer.task = &client->task;
	client->unread = BUF_EMPTY(API_READ_BYTES);
	http_server_init(&client->http, &http_ops, client);
	client->next = api->clients;
	api->clients = client;
	api->client_count++;
	client->is_heading = true;
	set_deadline(client, API_HEAD_NS);
	return 0;
}

void client_farewell(struct client *client)
{
	if (client->activity != CLIENT_RESTS)
		answer_502(client, "The sandbox was not found");
	(void)!write_out(client);
}
