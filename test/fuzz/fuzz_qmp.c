// SPDX-License-Identifier: Apache-2.0
// QMP lines: taken one by one, and again byte by byte; both must tell the same.

#include <stdlib.h>
#include <string.h>

#include "engine/qemu/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_message(const struct qmp_message *m)
{
	must(json_is_object(m->doc));
	switch (m->type) {
	case QMP_GREETING:
		must(json_object_get(m->doc, "QMP") != NULL);
		break;
	case QMP_RETURN:
		must(m->payload != NULL);
		break;
	case QMP_ERROR:
	case QMP_EVENT:
		must(m->name != NULL);
		break;
	}
}

/* What a stream amounts to: a letter a message, 'x' for one refused. */
static void take_all(struct buf *in, struct buf *notes)
{
	int r = 1;

	while (r != 0) {
		CLEANUP(qmp_message_fini) struct qmp_message m = { 0 };
		size_t before = in->len;

		r = qmp_next(in, &m);
		must(r == 0 || r == 1 || r == -EBADMSG);
		must(r == 0 ? in->len == before : in->len <= before);
		if (r == 1)
			check_message(&m);
		else
			must(m.doc == NULL);
		if (r != 0)
			must(buf_put_str(notes, r < 0 ? "x" : "m") == 0);
		if (r < 0 && in->len == before)
			return; /* too long: the connection ends here */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(buf_fini) struct buf whole = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(buf_fini) struct buf pieces = BUF_EMPTY(QMP_LINE_MAX_BYTES);
	CLEANUP(buf_fini) struct buf a = BUF_EMPTY(len + 1);
	CLEANUP(buf_fini) struct buf b = BUF_EMPTY(len + 1);

	if (buf_put(&whole, span_of(bytes, len)) < 0)
		return 0;
	take_all(&whole, &a);
	for (size_t i = 0; i < len; i++) {
		must(buf_put(&pieces, span_of(bytes + i, 1)) == 0);
		if (bytes[i] == '\n' || i + 1 == len)
			take_all(&pieces, &b);
	}
	must(span_eq(buf_span(&a), buf_span(&b)));
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	return 0;
}
