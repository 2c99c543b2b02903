// SPDX-License-Identifier: Apache-2.0
// caponier doctor: what this host can isolate, and why.

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/posture.h"
#include "engine/choose.h"

struct doctor_options {
	bool is_json;
};

const struct option_row doctor_options[] = {
	{ "json", NULL, OPTION_FLAG, offsetof(struct doctor_options, is_json),
	  "print JSON" },
	{ NULL, NULL, OPTION_FLAG, 0, NULL },
};

static void print_text(const char *label, const char *text)
{
	if (text[0] != '\0')
		(void)printf("    %-9s %s\n", label, text);
}

static void print_probe(const struct probe *probe)
{
	(void)printf("  %-4s %-8s %-4s tier %s\n",
		     probe->is_working ? "ok" : "no", probe->engine,
		     probe->accel, tier_name(probe->tier));
	print_text("evidence:", probe->evidence);
	print_text("why:", probe->why);
	print_text("mend:", probe->mend);
	print_text("gain:", probe->gain);
}

static const char *const state_names[] = {
	[POSTURE_OK] = "ok",
	[POSTURE_WARN] = "warn",
	[POSTURE_BAD] = "bad",
};
_Static_assert(ARRAY_LEN(state_names) == POSTURE_COUNT, "a name per state");

static void print_posture(const struct posture *row)
{
	(void)printf("  %-4s %s: %s\n", state_names[row->state], row->what,
		     row->found);
	print_text("mend:", row->mend);
}

static json_t *probe_json(const struct probe *probe)
{
	return json_pack("{s:s,s:s,s:s,s:b,s:s,s:s,s:s,s:s}", "engine",
			 probe->engine, "accel", probe->accel, "tier",
			 tier_name(probe->tier), "works",
			 (int)probe->is_working, "evidence", probe->evidence,
			 "why", probe->why, "mend", probe->mend, "gain",
			 probe->gain);
}

static json_t *posture_json(const struct posture *row)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "what", row->what, "state",
			 state_names[row->state], "found", row->found, "mend",
			 row->mend);
}

static void print_all_json(const struct probe *probes, size_t probe_count,
			   const struct posture *rows, size_t row_count)
{
	json_t *engines = json_array();
	json_t *host = json_array();
	json_t *doc = NULL;

	for (size_t i = 0; i < probe_count; i++)
		(void)!json_array_append_new(engines, probe_json(&probes[i]));
	for (size_t i = 0; i < row_count; i++)
		(void)!json_array_append_new(host, posture_json(&rows[i]));
	doc = json_pack("{s:o,s:o}", "engines", engines, "host", host);
	(void)json_dumpf(doc, stdout, JSON_INDENT(1));
	(void)putchar('\n');
	json_decref(doc);
}

int verb_doctor(int argc, char **argv)
{
	struct doctor_options options = { 0 };
	struct home home = { .dir = "" };
	struct probe probes[PROBES_MAX];
	struct posture rows[POSTURE_MAX];
	struct err e = { 0 };
	size_t probe_count = 0;
	size_t row_count = 0;
	int r = options_parse(doctor_options, &options, &argc, &argv, "doctor",
			      &e);

	if (r == 0)
		r = home_find(&home, &e);
	if (r < 0)
		return complain(&e, r);
	probe_count = probe_all(&home, probes);
	row_count = posture_all(&home, rows);
	if (options.is_json) {
		print_all_json(probes, probe_count, rows, row_count);
		return 0;
	}
	(void)printf("engines, strongest first:\n");
	for (size_t i = 0; i < probe_count; i++)
		print_probe(&probes[i]);
	(void)printf("host:\n");
	for (size_t i = 0; i < row_count; i++)
		print_posture(&rows[i]);
	return 0;
}
