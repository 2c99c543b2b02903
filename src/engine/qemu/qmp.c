// SPDX-License-Identifier: Apache-2.0
// Reading QEMU's machine protocol.

#include "engine/qemu/qmp.h"

#include <string.h>

void qmp_message_fini(struct qmp_message *message)
{
	json_decref(message->doc);
	*message = (struct qmp_message){ 0 };
}

static int classify(struct qmp_message *message)
{
	json_t *error = json_object_get(message->doc, "error");
	json_t *event = json_object_get(message->doc, "event");

	message->payload = json_object_get(message->doc, "return");
	if (message->payload != NULL) {
		message->type = QMP_RETURN;
		return 0;
	}
	if (json_is_string(event)) {
		message->type = QMP_EVENT;
		message->name = json_string_value(event);
		message->payload = json_object_get(message->doc, "data");
		return 0;
	}
	if (json_is_object(error)) {
		message->type = QMP_ERROR;
		message->name =
			json_string_value(json_object_get(error, "desc"));
		return message->name != NULL ? 0 : -EBADMSG;
	}
	message->type = QMP_GREETING;
	return json_object_get(message->doc, "QMP") != NULL ? 0 : -EBADMSG;
}

int qmp_next(struct buf *in, struct qmp_message *ret)
{
	const uint8_t *end = in->len != 0 ? memchr(in->ptr, '\n', in->len) :
					    NULL;
	CLEANUP(qmp_message_fini) struct qmp_message message = { 0 };
	size_t len = 0;

	if (end == NULL)
		return in->len >= QMP_LINE_MAX_BYTES ? -EBADMSG : 0;
	len = (size_t)(end - in->ptr);
	message.doc = json_loadb((const char *)in->ptr, len,
				 JSON_REJECT_DUPLICATES, NULL);
	buf_drop(in, len + 1);
	if (message.doc == NULL)
		return -EBADMSG;
	TRY(classify(&message));
	*ret = message;
	message.doc = NULL; /* ownership moved to *ret */
	return 1;
}
