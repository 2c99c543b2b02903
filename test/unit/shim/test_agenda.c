// SPDX-License-Identifier: Apache-2.0
#include "shim/agenda.h"

#include "base/macros.h"
#include "tap.h"

static char order[16];
static size_t ran;
static struct agenda agenda;
static struct task tasks[3];

static void note(struct task *task)
{
	order[ran++] = (char)('a' + (task - tasks));
	order[ran] = '\0';
	if (task == &tasks[0] && ran < 4)
		agenda_add(&agenda, &tasks[2]);
}

static void reset(void)
{
	ran = 0;
	order[0] = '\0';
	agenda = (struct agenda){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
		tasks[i] = (struct task){ .run = note };
}

TEST(tasks_run_once_in_order)
{
	reset();
	agenda_add(&agenda, &tasks[1]);
	agenda_add(&agenda, &tasks[0]);
	agenda_add(&agenda, &tasks[1]);
	agenda_run(&agenda);
	CHECK_STR(order, "bac"); /* what a task adds runs, too */
	agenda_run(&agenda);
	CHECK_STR(order, "bac");
}

TEST(a_forgotten_task_does_not_run)
{
	reset();
	for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
		agenda_add(&agenda, &tasks[i]);
	agenda_forget(&agenda, &tasks[2]);
	agenda_forget(&agenda, &tasks[0]);
	agenda_forget(&agenda, &tasks[0]);
	agenda_run(&agenda);
	CHECK_STR(order, "b");
	agenda_add(&agenda, &tasks[2]);
	agenda_run(&agenda);
	CHECK_STR(order, "bc");
}

TESTS(RUN(tasks_run_once_in_order), RUN(a_forgotten_task_does_not_run))
