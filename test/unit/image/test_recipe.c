// SPDX-License-Identifier: Apache-2.0
// Build scripts: what they may say, what they say wrong, and how they end.

#include "image/recipe.h"

#include <signal.h>

#include "base/clock.h"
#include "scratch.h"
#include "tap.h"

/* What progress was reported: "PCT LEFT TEXT" a line. */
struct notes {
	struct scratch s;
	struct buf said;
	struct err e;
	char scripts[RECIPE_JOBS_MAX][PATH_MAX];
	struct recipe_job jobs[RECIPE_JOBS_MAX];
	size_t count;
};

static void notes_fini(struct notes *n)
{
	scratch_fini(&n->s);
	buf_fini(&n->said);
}

static struct notes notes_new(void)
{
	return (struct notes){ .s = scratch_new(), .said = BUF_EMPTY(65536) };
}

static void on_progress(void *owner, unsigned pct, int left, const char *text)
{
	struct notes *n = owner;

	CHECK_EQ(buf_printf(&n->said, "%u %d %s\n", pct, left, text), 0);
}

/* Adds a job that runs @script with $1 the scratch directory. */
static void add(struct notes *n, const char *title, unsigned weight,
		const char *script)
{
	char name[8] = { (char)('a' + n->count), '\0' };

	CHECK_EQ(scratch_write(&n->s, name, script), 0);
	(void)snprintf(n->scripts[n->count], PATH_MAX, "%s", n->s.path);
	n->jobs[n->count] = (struct recipe_job){
		.title = title,
		.script = n->scripts[n->count],
		.args = { n->s.dir, NULL },
		.weight = weight,
	};
	n->count++;
}

static int run(struct notes *n)
{
	return recipe_run(n->jobs, n->count, on_progress, n, &n->e);
}

TEST(progress_is_passed_on_with_its_title)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	add(&n, "root", 1,
	    "echo '@ 0 - starting'\n"
	    "echo '@ 50 12 half way there'\n"
	    "echo '@ 100 0 done'\n");
	CHECK_EQ(run(&n), 0);
	CHECK_STR(buf_cstr(&n.said), "0 -1 root: starting\n"
				     "50 12 root: half way there\n"
				     "100 0 root: done\n");
}

TEST(the_whole_is_weighed)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	/* Of two that speak before the same turn the first is heard first. */
	add(&n, "heavy", 3, "echo '@ 50 7 y'\n: >$1/go\n");
	add(&n, "light", 1,
	    "while ! [ -e $1/go ]; do sleep 0.01; done\n"
	    "echo '@ 100 0 x'\n");
	CHECK_EQ(run(&n), 0);
	CHECK(span_starts(buf_span(&n.said), "37 7 heavy: y\n"));
	CHECK(memmem(n.said.ptr, n.said.len, "light: x\n", 9) != NULL);
}

TEST(arguments_and_an_empty_input_are_given)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	add(&n, "t", 1, "[ $# = 1 ] && [ -d \"$1\" ] && ! read -r _\n");
	CHECK_EQ(run(&n), 0);
	CHECK_EQ(recipe_run(n.jobs, 0, NULL, NULL, NULL), 0);
	CHECK_EQ(recipe_run(n.jobs, RECIPE_JOBS_MAX + 1, NULL, NULL, NULL),
		 -E2BIG);
}

TEST(what_is_no_progress_is_ignored)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	add(&n, "t", 1,
	    "echo 'hello'; echo; echo '@'; echo '@ '; echo '@ 5'\n"
	    "echo '@ 101 1 x'; echo '@ -1 1 x'; echo '@x 1 1 x'\n"
	    "printf '\\377\\000\\001@ 7 7 x\\n'\n"
	    "head -c 100000 /dev/zero; echo\n"
	    "echo '@ 9 99999999 last'\n");
	CHECK_EQ(run(&n), 0);
	CHECK_STR(buf_cstr(&n.said), "9 -1 t: last\n");
}

/* The tail of a line is not a line, wherever it was cut. */
TEST(a_line_too_long_is_ignored_to_its_end)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	add(&n, "t", 1,
	    "head -c 4096 /dev/zero | tr '\\0' x\n"
	    "echo '! forged | by a tail | ignore'\n"
	    "head -c 8192 /dev/zero | tr '\\0' x\n"
	    "echo '@ 1 1 forged'\n"
	    "echo '@ 2 2 real'\n");
	CHECK_EQ(run(&n), 0);
	CHECK_STR(buf_cstr(&n.said), "2 2 t: real\n");
}

TEST(a_failure_is_the_scripts_sentence)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	add(&n, "t", 1,
	    "echo '! fetch the list | no route | go online'\n"
	    "exit 3\n");
	CHECK_EQ(run(&n), -ECANCELED);
	CHECK_STR(n.e.text, "cannot fetch the list : no route ; go online");
}

TEST(a_failure_without_its_parts_is_filled_in)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	/* A failure that was said counts, whatever the status. */
	add(&n, "build t", 1, "echo '! '\n");
	CHECK_EQ(run(&n), -ECANCELED);
	CHECK_STR(n.e.text, "cannot build t: the script failed; see its log");
}

TEST(a_status_without_a_sentence_has_one)
{
	CLEANUP(notes_fini) struct notes n = notes_new();
	char want[PATH_MAX + 64];

	add(&n, "build t", 1, "exit 7\n");
	CHECK_EQ(run(&n), -ECANCELED);
	(void)snprintf(want, sizeof(want),
		       "cannot build t: %s ended with status 7; read its log",
		       n.scripts[0]);
	CHECK_STR(n.e.text, want);
}

TEST(a_script_killed_by_a_signal_has_failed)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	add(&n, "t", 1, "kill -9 $$\n");
	CHECK_EQ(run(&n), -ECANCELED);
	CHECK(strstr(n.e.text, "ended with status 137;") != NULL);
}

TEST(a_script_that_is_not_there_has_failed)
{
	CLEANUP(notes_fini) struct notes n = notes_new();

	add(&n, "t", 1, "");
	CHECK_EQ(unlink(n.scripts[0]), 0);
	CHECK_EQ(run(&n), -ECANCELED);
	CHECK(n.e.code == -ECANCELED);
}

TEST(when_one_fails_the_others_are_stopped)
{
	CLEANUP(notes_fini) struct notes n = notes_new();
	uint64_t began = clock_boot_ns();

	add(&n, "slow", 1,
	    "trap ': >$1/stopped; exit 1' TERM\n"
	    ": >$1/ready\n"
	    "i=0; while [ $i -lt 1000 ]; do sleep 0.02; i=$((i + 1)); done\n"
	    ": >$1/ended\n");
	add(&n, "bad", 1,
	    "while ! [ -e $1/ready ]; do sleep 0.01; done\n"
	    "echo '! do it | it broke | mend it'; exit 1\n");
	CHECK_EQ(run(&n), -ECANCELED);
	CHECK_STR(n.e.text, "cannot do it : it broke ; mend it");
	CHECK_EQ(access(scratch_path(&n.s, "stopped"), F_OK), 0);
	CHECK(access(scratch_path(&n.s, "ended"), F_OK) != 0);
	CHECK(clock_boot_ns() - began < 10 * NS_PER_S);
}

TESTS(RUN(progress_is_passed_on_with_its_title), RUN(the_whole_is_weighed),
      RUN(arguments_and_an_empty_input_are_given),
      RUN(what_is_no_progress_is_ignored),
      RUN(a_line_too_long_is_ignored_to_its_end),
      RUN(a_failure_is_the_scripts_sentence),
      RUN(a_failure_without_its_parts_is_filled_in),
      RUN(a_status_without_a_sentence_has_one),
      RUN(a_script_killed_by_a_signal_has_failed),
      RUN(a_script_that_is_not_there_has_failed),
      RUN(when_one_fails_the_others_are_stopped))
