// SPDX-License-Identifier: Apache-2.0
// Two multiplexers joined by narrow pipes, driven at random: nothing is lost,
// reordered, doubled or stuck. MUX_SEED=n runs that seed alone.

#include "wire/mux.h"

#include <stdlib.h>
#include <string.h>

#include "mux_check.h"
#include "tap.h"

enum {
	PIPE_MAX_BYTES = 8192,
	READ_MAX_BYTES = 4096,
	LANES_MAX = 8192, /* ids below this are used */
	STEPS = 20000,
	SEEDS = 12,
	DRAIN_ROUNDS_MAX = 20000,
};

/* What one end knows of the stream whose id is the index. */
struct lane {
	bool is_live;  /* may be used by this end */
	bool is_reset; /* by this end */
	bool is_closed;
	bool is_peer_closed;
	uint64_t sent;
	uint64_t got;
	uint64_t unread;
};

struct pipe {
	uint8_t bytes[PIPE_MAX_BYTES];
	size_t len;
	size_t cap;
};

struct end {
	struct mux mux;
	struct pipe in; /* what the peer wrote */
	uint8_t read[READ_MAX_BYTES];
	struct span left; /* of read, not taken by the mux */
	struct lane lanes[LANES_MAX];
	uint32_t ids_used; /* all ids are below it */
	uint64_t hellos;
	bool is_greedy; /* consumes all at once */
};

static struct end ends[2];
static uint64_t dice;
static bool is_calm;	    /* few streams, long ones */
static const char *trouble; /* the first thing that went wrong */

/* What came to pass over all seeds: a run that met nothing shows nothing. */
static struct {
	uint64_t bytes;
	uint64_t credits;
	uint64_t ends[2]; /* by CLOSE, by RESET */
	uint64_t refusals;
	uint64_t waits; /* mux_next() wanted room */
	uint64_t epochs;
} seen;

static void must(bool holds, const char *what)
{
	if (!holds && trouble == NULL)
		trouble = what;
}

static uint32_t roll(uint32_t below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice >> 33) % below;
}

static struct end *peer_of(const struct end *e)
{
	return &ends[e == &ends[0] ? 1 : 0];
}

/* Byte @at of what @e sends on stream @id. */
static uint8_t byte_of(const struct end *e, uint32_t id, uint64_t at)
{
	uint64_t mixed = (at + 1) * UINT64_C(0x9e3779b97f4a7c15) +
			 id * UINT64_C(31) + (e == &ends[0] ? 0 : 7);

	return (uint8_t)(mixed >> 40 & 0xff);
}

/* --- what the user of an end does --- */

static void user_open(struct end *e)
{
	uint32_t id = 0;
	int result = mux_open(&e->mux, span_str("tcp:80"), NULL, &id);

	must(result == 0 || result == -EMFILE || result == -EAGAIN ||
		     result == -ENOTCONN,
	     "mux_open fails as told");
	if (result < 0)
		return;
	must(id < LANES_MAX && !e->lanes[id].is_live, "a new id");
	e->lanes[id] = (struct lane){ .is_live = true };
	e->ids_used = id >= e->ids_used ? id + 1 : e->ids_used;
}

static void user_send(struct end *e, uint32_t id, size_t len)
{
	static uint8_t bytes[MUX_WINDOW_BYTES];
	struct lane *lane = &e->lanes[id];
	size_t room = mux_send_room(&e->mux, id);
	size_t want = len < room ? len : room;
	size_t sent;

	for (size_t i = 0; i < want; i++)
		bytes[i] = byte_of(e, id, lane->sent + i);
	sent = mux_send(&e->mux, id, span_of(bytes, len));
	must(sent == want, "mux_send takes its room");
	lane->sent += sent;
}

static void user_consume(struct end *e, uint32_t id, uint64_t n)
{
	struct lane *lane = &e->lanes[id];

	n = n < lane->unread ? n : lane->unread;
	lane->unread -= n;
	mux_consumed(&e->mux, id, (size_t)n);
}

static void end_if_closed(struct lane *lane)
{
	if (lane->is_closed && lane->is_peer_closed)
		lane->is_live = false;
}

static void user_close(struct end *e, uint32_t id)
{
	e->lanes[id].is_closed = true;
	mux_close(&e->mux, id);
	end_if_closed(&e->lanes[id]);
}

static void user_reset(struct end *e, uint32_t id)
{
	e->lanes[id].is_live = false;
	e->lanes[id].is_reset = true;
	mux_reset(&e->mux, id, MUX_REASON_ABORTED);
}

/* A live stream, or 0. */
static uint32_t some_lane(const struct end *e)
{
	uint32_t from = e->ids_used == 0 ? 0 : roll(e->ids_used);

	for (uint32_t i = 0; i < e->ids_used; i++) {
		uint32_t id = (from + i) % e->ids_used;

		if (e->lanes[id].is_live)
			return id;
	}
	return 0;
}

/* An act on stream @id; @chance is below 100. */
static void user_acts_on(struct end *e, uint32_t id, uint32_t chance)
{
	if (chance < 60 && !e->lanes[id].is_closed)
		user_send(e, id, 1 + roll(roll(4) == 0 ? 70000 : 300));
	else if (chance < 90)
		user_consume(e, id, roll(MUX_WINDOW_BYTES));
	else if (is_calm && roll(50) != 0)
		return;
	else if (chance < 97)
		user_close(e, id);
	else
		user_reset(e, id);
}

static void user_acts(struct end *e)
{
	uint32_t id = some_lane(e);

	if (id != 0)
		user_acts_on(e, id, roll(100));
	if (e->ids_used < LANES_MAX - 2 &&
	    roll(is_calm && id != 0 ? 500 : 10) == 0)
		user_open(e);
}

/* --- events --- */

static void on_data(struct end *e, struct lane *lane,
		    const struct mux_event *event)
{
	const struct end *peer = peer_of(e);

	must(lane->is_live && !lane->is_peer_closed, "DATA of a live stream");
	for (size_t i = 0; i < event->bytes.len; i++)
		must(event->bytes.ptr[i] ==
			     byte_of(peer, event->stream, lane->got + i),
		     "every byte in its place");
	lane->got += event->bytes.len;
	lane->unread += event->bytes.len;
	seen.bytes += event->bytes.len;
	must(lane->got <= peer->lanes[event->stream].sent, "nothing doubled");
	must(lane->unread <= MUX_WINDOW_BYTES, "within the window");
	if (e->is_greedy)
		user_consume(e, event->stream, lane->unread);
}

static void on_close(struct end *e, struct lane *lane, uint32_t id)
{
	const struct lane *theirs = &peer_of(e)->lanes[id];

	must(lane->is_live && !lane->is_peer_closed, "CLOSE once");
	must(theirs->is_closed, "CLOSE if the peer closed");
	must(lane->got == theirs->sent, "all came before CLOSE");
	lane->is_peer_closed = true;
	seen.ends[0]++;
	end_if_closed(lane);
}

static void on_reset(struct end *e, struct lane *lane,
		     const struct mux_event *event)
{
	const struct lane *theirs = &peer_of(e)->lanes[event->stream];

	must(lane->is_live, "RESET once");
	if (event->reason == MUX_REASON_TOO_MANY)
		must(theirs->got == 0 && !theirs->is_live, "no trace");
	else
		must(event->reason == MUX_REASON_ABORTED && theirs->is_reset,
		     "RESET if the peer reset");
	seen.ends[1]++;
	seen.refusals += event->reason == MUX_REASON_TOO_MANY;
	lane->is_live = false;
}

static void on_hello(struct end *e, uint64_t epoch)
{
	must(epoch == ends[0].mux.epoch, "the host's epoch");
	e->hellos++;
	seen.epochs++;
	memset(e->lanes, 0, sizeof(e->lanes));
	e->ids_used = 0;
}

static void on_event(struct end *e, const struct mux_event *event)
{
	struct lane *lane = &e->lanes[event->stream % LANES_MAX];

	switch (event->type) {
	case MUX_EVENT_HELLO:
		on_hello(e, event->epoch);
		break;
	case MUX_EVENT_OPEN:
		must(span_is(event->bytes, "tcp:80"), "the target");
		must(!lane->is_live, "OPEN once");
		*lane = (struct lane){ .is_live = true };
		if (event->stream >= e->ids_used)
			e->ids_used = event->stream + 1;
		break;
	case MUX_EVENT_DATA:
		on_data(e, lane, event);
		break;
	case MUX_EVENT_CREDIT:
		seen.credits++;
		must(lane->is_live, "credit for a live stream");
		break;
	case MUX_EVENT_CLOSE:
		on_close(e, lane, event->stream);
		break;
	case MUX_EVENT_RESET:
		on_reset(e, lane, event);
		break;
	case MUX_EVENT_NONE:
	case MUX_EVENT_COUNT:
		must(false, "an event is something");
	}
}

/* --- the pipes --- */

/* The end writes what its pipe takes, at most @max bytes. */
static size_t write_some(struct end *e, size_t max)
{
	struct pipe *out = &peer_of(e)->in;
	struct span bytes = span_to(mux_output(&e->mux), out->cap - out->len);

	bytes = span_to(bytes, max);
	if (bytes.len > 0)
		memcpy(out->bytes + out->len, bytes.ptr, bytes.len);
	out->len += bytes.len;
	mux_sent(&e->mux, bytes.len);
	return bytes.len;
}

static size_t read_some(struct end *e, size_t max)
{
	struct mux_event event;
	size_t before;
	int result;

	if (e->left.len == 0) {
		size_t n = e->in.len < max ? e->in.len : max;

		memcpy(e->read, e->in.bytes, n);
		e->in.len -= n;
		memmove(e->in.bytes, e->in.bytes + n, e->in.len);
		e->left = span_of(e->read, n);
	}
	before = e->left.len;
	while ((result = mux_next(&e->mux, &e->left, &event)) == 1)
		on_event(e, &event);
	seen.waits += e->left.len > 0;
	must(result == 0, "an honest peer breaks nothing");
	return before - e->left.len;
}

/* --- a run --- */

static void join(void)
{
	memset(ends, 0, sizeof(ends));
	mux_init(&ends[0].mux, MUX_HOST, 1);
	mux_init(&ends[1].mux, MUX_GUEST, 0);
	for (size_t i = 0; i < 2; i++) {
		ends[i].in.cap = 1 + roll(PIPE_MAX_BYTES);
		ends[i].is_greedy = roll(3) == 0;
	}
}

/* The host is replaced, as when a snapshot of the guest is restored; what the
 * guest has still to say belongs to the old epoch. */
static void restart_host(void)
{
	struct end *h = &ends[0];
	struct end *g = &ends[1];
	uint64_t epoch = h->mux.epoch + 1;

	/* a byte stream cannot be taken up within a frame */
	if (!mux_is_quiet(&h->mux) || h->left.len > 0 || g->left.len > 0 ||
	    g->in.len > 0)
		return;
	mux_init(&h->mux, MUX_HOST, epoch);
	memset(h->lanes, 0, sizeof(h->lanes));
	h->ids_used = 0;
}

static void step(void)
{
	struct end *e = &ends[roll(2)];

	switch (roll(4)) {
	case 0:
		(void)write_some(e, 1 + roll(roll(2) == 0 ? 40 : 9000));
		break;
	case 1:
		(void)read_some(e, 1 + roll(READ_MAX_BYTES));
		break;
	default:
		user_acts(e);
		break;
	}
	if (roll(is_calm ? 200 : 8) == 0)
		restart_host();
	must(mux_is_sound(&e->mux), "a sound mux");
}

/* Consumes everything and closes every stream. */
static void finish_lanes(struct end *e)
{
	for (uint32_t id = 1; id < e->ids_used; id++) {
		if (!e->lanes[id].is_live)
			continue;
		user_consume(e, id, e->lanes[id].unread);
		if (!e->lanes[id].is_closed)
			user_close(e, id);
	}
}

static bool is_finished(const struct end *e)
{
	for (uint32_t id = 1; id < e->ids_used; id++) {
		if (e->lanes[id].is_live)
			return false;
	}
	for (size_t i = 0; i < MUX_STREAMS_MAX; i++) {
		if (e->mux.streams[i].id != 0)
			return false;
	}
	return mux_is_quiet(&e->mux) && e->left.len == 0 && e->in.len == 0;
}

static void finish(void)
{
	for (size_t round = 0; round < DRAIN_ROUNDS_MAX; round++) {
		size_t moved = 0;

		for (size_t i = 0; i < 2; i++) {
			finish_lanes(&ends[i]);
			moved += write_some(&ends[i], PIPE_MAX_BYTES);
			moved += read_some(&ends[i], READ_MAX_BYTES);
		}
		if (is_finished(&ends[0]) && is_finished(&ends[1]))
			return;
		if (moved == 0)
			break;
	}
	must(false, "no deadlock");
}

static void run_seed(uint64_t seed)
{
	trouble = NULL;
	dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	is_calm = seed % 2 == 0;
	join();
	for (size_t i = 0; i < STEPS && trouble == NULL; i++)
		step();
	finish();
	must(ends[0].hellos > 0 && ends[1].hellos > 0, "both were greeted");
	if (!CHECK(trouble == NULL))
		printf("#   MUX_SEED=%ju: %s\n", (uintmax_t)seed, trouble);
}

TEST(nothing_is_lost_reordered_doubled_or_stuck)
{
	const char *chosen = getenv("MUX_SEED");

	if (chosen != NULL) {
		run_seed(strtoull(chosen, NULL, 10));
		return;
	}
	memset(&seen, 0, sizeof(seen));
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed);
	printf("# %ju bytes, %ju credits, %ju closes, %ju resets (%ju for want"
	       " of room), %ju waits, %ju hellos\n",
	       (uintmax_t)seen.bytes, (uintmax_t)seen.credits,
	       (uintmax_t)seen.ends[0], (uintmax_t)seen.ends[1],
	       (uintmax_t)seen.refusals, (uintmax_t)seen.waits,
	       (uintmax_t)seen.epochs);
	CHECK(seen.bytes > 0 && seen.credits > 100 && seen.refusals > 0);
	CHECK(seen.ends[0] > 0 && seen.ends[1] > seen.refusals);
	CHECK(seen.epochs > 2 * (uint64_t)SEEDS);
}

/* Sends until the ring or the window is full. */
static void fill(struct end *e)
{
	for (uint32_t id = 1; id < e->ids_used; id++) {
		if (e->lanes[id].is_live)
			user_send(e, id, MUX_WINDOW_BYTES);
	}
}

/* Both write what fits, then both read: the order that fills both rings. */
static size_t bulk_round(void)
{
	size_t moved = 0;

	for (size_t i = 0; i < 2; i++) {
		fill(&ends[i]);
		moved += write_some(&ends[i], PIPE_MAX_BYTES);
	}
	for (size_t i = 0; i < 2; i++)
		moved += read_some(&ends[i], READ_MAX_BYTES);
	return moved;
}

/* A wire of narrow pipes on which each side has opened @streams. */
static void join_narrow(size_t streams)
{
	trouble = NULL;
	dice = 1;
	join();
	ends[0].in.cap = ends[1].in.cap = 600;
	ends[0].is_greedy = ends[1].is_greedy = true;
	memset(&seen, 0, sizeof(seen));
	while (ends[0].hellos == 0 || ends[1].hellos == 0)
		(void)bulk_round();
	for (size_t i = 0; i < 2 * streams; i++)
		user_open(&ends[i % 2]);
}

static void check_no_trouble(void)
{
	if (!CHECK(trouble == NULL))
		printf("#   %s\n", trouble);
}

/* invariant 6 */
TEST(bulk_both_ways_never_stands_still)
{
	enum { ROUNDS = 20000, STREAMS = 8 };

	join_narrow(STREAMS);
	for (size_t i = 0; i < ROUNDS && trouble == NULL; i++)
		must(bulk_round() > 0, "somebody moves");
	finish();
	check_no_trouble();
	CHECK(seen.credits > STREAMS);
}

/* invariant 6, [WIRE-27]: rings and pipes are full both ways, and then each user ends
 * streams: had its frames the room that answers want, neither would read. */
TEST(what_users_do_at_full_rings_does_not_stop_reading)
{
	enum { STREAMS = 60 };

	join_narrow(STREAMS);
	for (size_t i = 0; i < 100; i++)
		(void)bulk_round();
	for (size_t moved = 1; moved > 0;) {
		moved = 0;
		for (size_t i = 0; i < 2; i++) {
			fill(&ends[i]);
			moved += write_some(&ends[i], PIPE_MAX_BYTES);
		}
	}
	for (size_t i = 0; i < 2; i++) {
		for (uint32_t id = 1; id < STREAMS; id++) {
			if (ends[i].lanes[id].is_live)
				user_reset(&ends[i], id);
		}
	}
	must(bulk_round() > 0, "somebody moves");
	finish();
	check_no_trouble();
}

TESTS(RUN(nothing_is_lost_reordered_doubled_or_stuck),
      RUN(bulk_both_ways_never_stands_still),
      RUN(what_users_do_at_full_rings_does_not_stop_reading))
