// SPDX-License-Identifier: Apache-2.0
// What a hostile peer may try on the multiplexer: each breach is -EPROTO.

#include "wire/mux.h"

#include <string.h>

#include "mux_raw.h"
#include "tap.h"

static struct mux victim;

/* One header as it stands, and what follows it. */
struct evil_frame {
	uint32_t word; /* type, and the three bytes that are to be zero */
	uint32_t id;
	uint32_t len;
	const char *payload; /* @len bytes if it is not longer than 32 */
};

struct evil {
	const char *name;
	enum mux_side victim;
	bool is_before_epoch;
	struct evil_frame frames[3];
};

#define MAGIC "CPNWIRE1"
#define V1 "\1\0\0\0\0\0\0\0"
#define E1 "\x88\x77\x66\x55\x44\x33\x22\x11"
#define E0 "\0\0\0\0\0\0\0\0"
#define OPEN_2 { OPEN, 2, 1, "a" }
#define OPEN_1 { OPEN, 1, 1, "a" }

static const struct evil evils[] = {
	{ "type 0 [WIRE-3]", MUX_HOST, false, { { 0, 2, 0, "" } } },
	{ "type 7 [WIRE-3]", MUX_HOST, false, { { 7, 2, 0, "" } } },
	{ "type 255", MUX_GUEST, true, { { 255, 2, 0, "" } } },
	{ "byte 1 set [WIRE-4]",
	  MUX_HOST,
	  false,
	  { OPEN_2, { 0x105, 2, 0, "" } } },
	{ "byte 2 set", MUX_HOST, false, { OPEN_2, { 0x10005, 2, 0, "" } } },
	{ "byte 3 set", MUX_HOST, false, { OPEN_2, { 0x80000005, 2, 0, "" } } },
	{ "stream 0 [WIRE-5]", MUX_HOST, false, { { DATA, 0, 1, "a" } } },
	{ "OPEN of stream 0", MUX_HOST, false, { { OPEN, 0, 1, "a" } } },
	{ "HELLO on a stream",
	  MUX_HOST,
	  true,
	  { { HELLO, 2, 24, MAGIC V1 E1 } } },
	{ "HELLO cut [WIRE-6]",
	  MUX_HOST,
	  true,
	  { { HELLO, 0, 23, MAGIC V1 E1 } } },
	{ "HELLO without end", MUX_HOST, true, { { HELLO, 0, 257, "" } } },
	{ "HELLO 1 with more",
	  MUX_HOST,
	  true,
	  { { HELLO, 0, 25, MAGIC V1 E1 } } },
	{ "no magic [WIRE-7]",
	  MUX_HOST,
	  true,
	  { { HELLO, 0, 24, "CPNWIRE2" V1 E1 } } },
	{ "version 0",
	  MUX_HOST,
	  true,
	  { { HELLO, 0, 24, MAGIC "\0\0\0\0\0\0\0\0" E1 } } },
	{ "HELLO's u16 set",
	  MUX_HOST,
	  true,
	  { { HELLO, 0, 24, MAGIC "\1\0\1\0\0\0\0\0" E1 } } },
	{ "HELLO's u32 set",
	  MUX_HOST,
	  true,
	  { { HELLO, 0, 24, MAGIC "\1\0\0\0\0\0\0\1" E1 } } },
	{ "epoch 0 for the guest [WIRE-13]",
	  MUX_GUEST,
	  true,
	  { { HELLO, 0, 24, MAGIC V1 E0 } } },
	{ "a second answer [WIRE-15]",
	  MUX_HOST,
	  false,
	  { { HELLO, 0, 24, MAGIC V1 E1 } } },
	{ "an answer to nobody",
	  MUX_HOST,
	  false,
	  { { HELLO, 0, 24, MAGIC V1 "12345678" } } },
	{ "our parity [WIRE-16]", MUX_HOST, false, { { OPEN, 1, 1, "a" } } },
	{ "the guest's parity", MUX_GUEST, false, { { OPEN, 2, 1, "a" } } },
	{ "an id again", MUX_HOST, false, { OPEN_2, OPEN_2 } },
	{ "a lower id",
	  MUX_HOST,
	  false,
	  { { OPEN, 6, 1, "a" }, { OPEN, 4, 1, "a" } } },
	{ "no target [WIRE-17]", MUX_HOST, false, { { OPEN, 2, 0, "" } } },
	{ "a long target", MUX_HOST, false, { { OPEN, 2, 256, "" } } },
	{ "a space in it", MUX_HOST, false, { { OPEN, 2, 3, "a b" } } },
	{ "a NUL in it", MUX_HOST, false, { { OPEN, 2, 3, "a\0b" } } },
	{ "8 bits in it",
	  MUX_HOST,
	  true,
	  { { OPEN, 2, 3,
	      "a\xff"
	      "b" } } },
	{ "DATA never opened [WIRE-19]",
	  MUX_HOST,
	  false,
	  { { DATA, 2, 1, "a" } } },
	{ "WINDOW never opened",
	  MUX_HOST,
	  false,
	  { OPEN_2, { WINDOW, 4, 4, "\1\0\0\0" } } },
	{ "CLOSE never opened by us",
	  MUX_HOST,
	  false,
	  { { CLOSE, 1, 0, "" } } },
	{ "RESET never opened",
	  MUX_GUEST,
	  false,
	  { OPEN_1, { RESET, 2, 4, "\1\0\0\0" } } },
	{ "DATA of nothing [WIRE-22]",
	  MUX_HOST,
	  false,
	  { OPEN_2, { DATA, 2, 0, "" } } },
	{ "DATA too long",
	  MUX_HOST,
	  false,
	  { OPEN_2, { DATA, 2, MUX_PAYLOAD_MAX_BYTES + 1, "" } } },
	{ "DATA without end", MUX_HOST, true, { { DATA, 2, 0xffffffff, "" } } },
	{ "DATA after CLOSE [WIRE-24]",
	  MUX_HOST,
	  false,
	  { OPEN_2, { CLOSE, 2, 0, "" }, { DATA, 2, 1, "a" } } },
	{ "CLOSE after CLOSE",
	  MUX_GUEST,
	  false,
	  { OPEN_1, { CLOSE, 1, 0, "" }, { CLOSE, 1, 0, "" } } },
	{ "CLOSE with a payload",
	  MUX_HOST,
	  false,
	  { OPEN_2, { CLOSE, 2, 1, "a" } } },
	{ "credit beyond the window [WIRE-23]",
	  MUX_HOST,
	  false,
	  { OPEN_2, { WINDOW, 2, 4, "\1\0\0\0" } } },
	{ "credit that overflows",
	  MUX_HOST,
	  false,
	  { OPEN_2, { WINDOW, 2, 4, "\xff\xff\xff\xff" } } },
	{ "credit of nothing",
	  MUX_HOST,
	  true,
	  { { WINDOW, 2, 4, "\0\0\0\0" } } },
	{ "WINDOW cut",
	  MUX_HOST,
	  false,
	  { OPEN_2, { WINDOW, 2, 3, "\1\0\0" } } },
	{ "WINDOW too long",
	  MUX_HOST,
	  false,
	  { OPEN_2, { WINDOW, 2, 5, "\1\0\0\0" } } },
	{ "RESET for no reason [WIRE-25]",
	  MUX_HOST,
	  false,
	  { OPEN_2, { RESET, 2, 4, "\0\0\0\0" } } },
	{ "RESET without reason",
	  MUX_HOST,
	  false,
	  { OPEN_2, { RESET, 2, 0, "" } } },
};

static void raw_evil(struct raw *r, const struct evil *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->frames); i++) {
		const struct evil_frame *f = &e->frames[i];

		if (f->payload == NULL)
			break;
		raw_u32(r, f->word);
		raw_u32(r, f->id);
		raw_u32(r, f->len);
		if (f->len <= 32)
			memcpy(r->bytes + r->len, f->payload, f->len);
		r->len += f->len <= 32 ? f->len : 0;
	}
}

static struct raw evil_bytes;

/* The breach is seen, and never forgotten. */
static bool is_refused(const struct evil *e, size_t step)
{
	struct raw good = { .len = 0 };
	struct mux_event event;
	struct mux *m = &victim;
	size_t events;
	size_t at = 0;
	int result = 0;

	if (e->is_before_epoch)
		mux_init(m, e->victim, e->victim == MUX_HOST ? EPOCH : 0);
	else
		start(m, e->victim);
	while (result == 0 && at < evil_bytes.len) {
		size_t n = evil_bytes.len - at < step ? evil_bytes.len - at :
							step;
		struct span in = span_of(evil_bytes.bytes + at, n);

		at += n;
		while ((result = mux_next(m, &in, &event)) == 1)
			;
	}
	raw_hello(&good, 1, EPOCH);
	return result == -EPROTO &&
	       feed(m, &good, &event, &events) == -EPROTO && events == 0;
}

TEST(every_breach_ends_the_wire_for_ever)
{
	for (size_t i = 0; i < ARRAY_LEN(evils); i++) {
		evil_bytes.len = 0;
		raw_evil(&evil_bytes, &evils[i]);
		for (size_t step = 1; step <= 64; step *= 8) {
			/* [WIRE-26] */
			if (!CHECK(is_refused(&evils[i], step)))
				printf("#   %s\n", evils[i].name);
		}
	}
}

TEST(data_beyond_the_credit_is_a_breach)
{
	static struct raw r;
	struct mux_event event;
	size_t events;

	/* [WIRE-20] */
	r.len = 0;
	start(&victim, MUX_HOST);
	raw_open(&r, 2);
	raw_data(&r, 2, MUX_WINDOW_BYTES - 1);
	CHECK_EQ(feed(&victim, &r, &event, &events), 0);
	r.len = 0;
	raw_frame(&r, DATA, 2, zeroes, 2);
	CHECK_EQ(feed(&victim, &r, &event, &events), -EPROTO);
	CHECK_EQ(events, 0); /* refused by its header: no byte is delivered */
}

TESTS(RUN(every_breach_ends_the_wire_for_ever),
      RUN(data_beyond_the_credit_is_a_breach))
