// SPDX-License-Identifier: Apache-2.0
// Work that is due before the loop sleeps again.

#include "shim/agenda.h"

#include <stddef.h>

void agenda_add(struct agenda *agenda, struct task *task)
{
	if (task->is_queued)
		return;
	task->is_queued = true;
	task->next = NULL;
	if (agenda->last != NULL)
		agenda->last->next = task;
	else
		agenda->first = task;
	agenda->last = task;
}

void agenda_forget(struct agenda *agenda, struct task *task)
{
	struct task *before = NULL;

	if (!task->is_queued)
		return;
	for (struct task *at = agenda->first; at != task; at = at->next)
		before = at;
	if (before != NULL)
		before->next = task->next;
	else
		agenda->first = task->next;
	if (agenda->last == task)
		agenda->last = before;
	task->is_queued = false;
}

void agenda_run(struct agenda *agenda)
{
	while (agenda->first != NULL) {
		struct task *task = agenda->first;

		agenda_forget(agenda, task);
		task->run(task);
	}
}
