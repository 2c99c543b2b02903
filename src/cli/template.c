// SPDX-License-Identifier: Apache-2.0
// caponier template build|ls|rm.

#include "image/template.h"

#include <dirent.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/variant.h"

struct template_options {
	bool is_json;
};

const struct option_row template_options[] = {
	{ "json", NULL, OPTION_FLAG, offsetof(struct template_options, is_json),
	  "print JSON" },
	{ NULL, NULL, OPTION_FLAG, 0, NULL },
};

static int build(const struct template_options *options, const char *name,
		 struct err *e)
{
	struct home home = { .dir = "" };
	struct install install = { .programs = "" };
	struct progress progress;
	int r = 0;

	(void)options;
	TRY(home_find(&home, e));
	TRY(install_find(&install, e));
	progress_init(&progress);
	r = template_build(&home, &install, name, progress_show, &progress, e);
	progress_done(&progress);
	if (r == 0)
		say("template %s is ready", name);
	return r;
}

static int remove_one(const struct template_options *options, const char *name,
		      struct err *e)
{
	struct home home = { .dir = "" };

	(void)options;
	TRY(home_find(&home, e));
	return template_remove(&home, name, e);
}

static json_t *describe(const struct sandbox_template *t)
{
	const struct manifest *m = &t->manifest;

	return json_pack("{s:s,s:s?,s:s?,s:s?,s:s,s:o}", "name", t->name,
			 "digest", manifest_get(m, "image_digest"), "kernel",
			 manifest_get(m, "kernel_version"), "engine",
			 manifest_get(m, "engine_version"), "path", t->dir,
			 "variants", variant_list(t));
}

static void print_row(json_t *row)
{
	json_t *variant = NULL;
	size_t i = 0;

	(void)printf("%-20s %.12s  kernel %s  qemu %s  %s\n",
		     json_string_value(json_object_get(row, "name")),
		     json_string_value(json_object_get(row, "digest")),
		     json_string_value(json_object_get(row, "kernel")),
		     json_string_value(json_object_get(row, "engine")),
		     json_string_value(json_object_get(row, "path")));
	json_array_foreach(json_object_get(row, "variants"), i, variant)
		(void)printf("  size %s\n", json_string_value(json_object_get(
						    variant, "size")));
}

static void dir_close(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
	*d = NULL;
}

static int list(const struct template_options *options, const char *name,
		struct err *e)
{
	struct home home = { .dir = "" };
	char path[PATH_MAX];
	CLEANUP(dir_close) DIR *d = NULL;
	json_t *rows = json_array();
	json_t *row = NULL;
	size_t i = 0;

	(void)name;
	TRY(home_find(&home, e));
	TRY(home_path(&home, path, "templates"));
	d = opendir(path);
	for (struct dirent *entry = d != NULL ? readdir(d) : NULL;
	     entry != NULL; entry = readdir(d)) {
		struct sandbox_template t = { .name = "" };
		struct err why = { 0 };

		if (!template_name_is_valid(entry->d_name))
			continue;
		if (template_open(&home, entry->d_name, &t, &why) == 0)
			(void)!json_array_append_new(rows, describe(&t));
		else
			say("%s", why.text);
	}
	if (options->is_json)
		(void)json_dumpf(rows, stdout, JSON_INDENT(1));
	else
		json_array_foreach(rows, i, row)
			print_row(row);
	if (options->is_json)
		(void)putchar('\n');
	json_decref(rows);
	return 0;
}

static const struct {
	const char *name;
	bool needs_name;
	int (*fn)(const struct template_options *options, const char *name,
		  struct err *e);
} actions[] = {
	{ "build", true, build },
	{ "ls", false, list },
	{ "rm", true, remove_one },
};

static int act(const struct template_options *options, int argc, char **argv,
	       struct err *e)
{
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(actions); i++) {
		int operands = actions[i].needs_name ? 2 : 1;

		if (strcmp(argv[0], actions[i].name) != 0)
			continue;
		if (argc != operands)
			return err_set(e, -EINVAL,
				       "cannot do template %s: it takes %s; "
				       "see caponier template --help",
				       argv[0],
				       operands == 2 ? "exactly one name" :
						       "no name");
		return actions[i].fn(options, argc > 1 ? argv[1] : NULL, e);
	}
	return err_set(e, -EINVAL,
		       "cannot do template %s: it is not build, ls or rm; see "
		       "caponier template --help",
		       argc > 0 ? argv[0] : "");
}

int verb_template(int argc, char **argv)
{
	struct template_options options = { 0 };
	struct err e = { 0 };
	const char *action = argc > 1 ? argv[1] : NULL;
	char *words[4] = { NULL };
	int count = 0;
	int r = 0;

	/* The action may stand before the options. */
	if (action != NULL && action[0] != '-') {
		words[count++] = argv[1];
		argc--;
		argv++;
	}
	r = options_parse(template_options, &options, &argc, &argv, "template",
			  &e);
	for (int i = 0; r == 0 && i < argc && count < 3; i++)
		words[count++] = argv[i];
	if (r == 0)
		r = act(&options, count, words, &e);
	return r < 0 ? complain(&e, r) : 0;
}
