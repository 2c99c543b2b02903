// SPDX-License-Identifier: Apache-2.0
// Templates: what sandboxes are made from.

#include "image/template.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/initrd.h"
#include "image/tree.h"

enum { JSON_MAX_BYTES = 65536 };

bool template_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= SANDBOX_NAME_BYTES || name[0] < 'a' ||
	    name[0] > 'z')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static int check_name(const char *name, struct err *e)
{
	if (template_name_is_valid(name))
		return 0;
	return err_set(e, -EINVAL,
		       "cannot use \"%s\" as a template: a name is 1 to 63 of "
		       "a-z, 0-9 and '-', beginning with a letter; see "
		       "caponier template ls",
		       name);
}

static int join(char ret[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(ret, PATH_MAX, "%s/%s", dir, name);

	return n >= 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Building. */

static int run_scripts(const struct home *home, const struct install *install,
		       const char *recipe, recipe_progress_fn *progress,
		       void *owner, struct err *e)
{
	char root_sh[PATH_MAX];
	char kernel_sh[PATH_MAX];
	char qemu_sh[PATH_MAX];
	char images[PATH_MAX];
	char kernels[PATH_MAX];
	char engines[PATH_MAX];
	const struct recipe_job jobs[] = {
		{ "root image", root_sh, { recipe, images, NULL }, 80 },
		{ "kernel", kernel_sh, { kernels, NULL }, 8 },
		{ "QEMU", qemu_sh, { engines, NULL }, 12 },
	};

	TRY(join(root_sh, install->images, "root.sh"));
	TRY(join(kernel_sh, install->images, "kernel.sh"));
	TRY(join(qemu_sh, install->images, "qemu.sh"));
	TRY(home_path(home, images, "images/%s", strrchr(recipe, '/') + 1));
	TRY(home_path(home, kernels, "kernels"));
	TRY(home_path(home, engines, "engines/qemu"));
	TRY(home_mkdir(images, e));
	TRY(home_mkdir(kernels, e));
	TRY(home_mkdir(engines, e));
	return recipe_run(jobs, ARRAY_LEN(jobs), progress, owner, e);
}

/* What the scripts built last: the directory behind a `current` link. */
static int current(const struct home *home, const char *what,
		   char ret[PATH_MAX], struct err *e)
{
	char link[PATH_MAX];
	int r = 0;

	TRY(home_path(home, link, "%s/current", what));
	if (realpath(link, ret) == NULL) {
		r = neg_errno();
		return err_set(e, r,
			       "cannot find what was built under %s: %s; "
			       "build the template again",
			       link, err_text(NULL, r));
	}
	return 0;
}

static void json_drop(json_t **doc)
{
	json_decref(*doc);
	*doc = NULL;
}

/* Copy one field of a script's JSON into the manifest's settings. */
static int note(struct manifest *m, const char *dir, const char *file,
		const char *field, const char *setting, struct err *e)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(JSON_MAX_BYTES);
	CLEANUP(json_drop) json_t *doc = NULL;
	char path[PATH_MAX];
	const char *value = NULL;

	TRY(join(path, dir, file));
	if (fd_read_file(AT_FDCWD, path, &text) == 0)
		doc = json_loadb((const char *)text.ptr, text.len, 0, NULL);
	value = json_string_value(json_object_get(doc, field));
	if (value == NULL)
		return err_set(e, -EBADMSG,
			       "cannot read \"%s\" from %s: it is missing or "
			       "damaged; remove its directory and build the "
			       "template again",
			       field, path);
	return manifest_set(m, setting, "%s", value);
}

static int add_part(struct manifest *m, const char *name, const char *dir,
		    const char *file)
{
	char path[PATH_MAX];

	TRY(join(path, dir, file));
	return manifest_add_part(m, name, path);
}

static int list_parts(struct manifest *m, const char *image, const char *kernel,
		      const char *engine, const char *initrd, struct err *e)
{
	TRY(add_part(m, "root_image", image, "root.ext4"));
	TRY(add_part(m, "modules_image", kernel, "modules.ext4"));
	TRY(add_part(m, "kernel", kernel, "vmlinuz"));
	TRY(add_part(m, "kernel_elf", kernel, "vmlinux"));
	TRY(manifest_add_part(m, "initrd", initrd));
	TRY(add_part(m, "engine", engine, "root"));
	TRY(manifest_set(m, "format", "%d", TEMPLATE_FORMAT));
	TRY(note(m, image, "image.json", "digest", "image_digest", e));
	TRY(note(m, image, "image.json", "built", "image_built", e));
	TRY(note(m, kernel, "kernel.json", "version", "kernel_version", e));
	TRY(note(m, kernel, "kernel.json", "built", "kernel_built", e));
	TRY(note(m, engine, "engine.json", "version", "engine_version", e));
	return note(m, engine, "engine.json", "built", "engine_built", e);
}

static int assemble(const struct home *home, const struct install *install,
		    const char *name, struct sandbox_template *t, struct err *e)
{
	char image[PATH_MAX];
	char kernel[PATH_MAX];
	char engine[PATH_MAX];
	char modules[PATH_MAX];
	char initrd[PATH_MAX];
	char what[PATH_MAX];

	if (snprintf(what, sizeof(what), "images/%s", name) >=
	    (int)sizeof(what))
		return -ENAMETOOLONG;
	TRY(current(home, what, image, e));
	TRY(current(home, "kernels", kernel, e));
	TRY(current(home, "engines/qemu", engine, e));
	TRY(join(modules, kernel, "initrd-modules"));
	TRY(join(initrd, t->dir, "initrd"));
	TRY(initrd_write(install->programs, modules, initrd, e));
	/* Another template's manifest in this one's place does not open. */
	TRY(manifest_set(&t->manifest, "name", "%s", name));
	TRY(list_parts(&t->manifest, image, kernel, engine, initrd, e));
	return manifest_write(home, &t->manifest, t->file, e);
}

static int locate(const struct home *home, const char *name,
		  struct sandbox_template *ret)
{
	TRY(span_copy_str(span_str(name), ret->name, sizeof(ret->name)));
	ret->home = *home;
	TRY(home_path(home, ret->dir, "templates/%s", name));
	return join(ret->file, ret->dir, "template.json");
}

int template_build(const struct home *home, const struct install *install,
		   const char *name, recipe_progress_fn *progress, void *owner,
		   struct err *e)
{
	struct sandbox_template t = { .name = "" };
	char recipe[PATH_MAX];

	TRY(check_name(name, e));
	TRY(join(recipe, install->images, name));
	if (access(recipe, R_OK | X_OK) < 0)
		return err_set(e, -ENOENT,
			       "cannot build the template \"%s\": there is no "
			       "recipe %s; built-in recipes are the "
			       "directories under %s",
			       name, recipe, install->images);
	TRY(run_scripts(home, install, recipe, progress, owner, e));
	TRY(locate(home, name, &t));
	TRY(home_mkdir(t.dir, e));
	return assemble(home, install, name, &t, e);
}

/* Using. */

static int open_in(const struct home *home, const char *name,
		   struct sandbox_template *ret, struct err *e)
{
	const char *sealed = NULL;
	struct sandbox_template t = { .name = "" };

	TRY(locate(home, name, &t));
	if (access(t.file, F_OK) < 0)
		return neg_errno();
	TRY(manifest_load(home, t.file, &t.manifest, e));
	sealed = manifest_get(&t.manifest, "name");
	if (sealed == NULL || strcmp(sealed, name) != 0)
		return err_set(e, -EBADMSG,
			       "cannot use the manifest %s: it is that of the "
			       "template \"%s\"; build the template again",
			       t.file, sealed != NULL ? sealed : "");
	*ret = t;
	return 0;
}

int template_open(const struct home *home, const char *name,
		  struct sandbox_template *ret, struct err *e)
{
	int r = 0;

	TRY(check_name(name, e));
	r = open_in(home, name, ret, e);
	if (r == -ENOENT && geteuid() != 0)
		r = open_in(home_of_root(), name, ret, e);
	if (r == -ENOENT)
		return err_set(e, r,
			       "cannot use the template \"%s\": it is not "
			       "built; run caponier template build %s",
			       name, name);
	return r;
}

int template_verify(const struct sandbox_template *t, const char **ret_part,
		    struct err *e)
{
	return manifest_verify(&t->home, &t->manifest, t->file, ret_part, e);
}

static int fill_path(const struct sandbox_template *t, const char *part,
		     char ret[PATH_MAX])
{
	const char *path = manifest_path(&t->manifest, part);

	if (path == NULL)
		return -EBADMSG;
	return span_copy_str(span_str(path), ret, PATH_MAX);
}

int template_fill(const struct sandbox_template *t, struct sandbox_spec *spec)
{
	/* A template is booted from the compressed kernel, whose start
	 * randomises its addresses; a cold boot takes the quicker way. */
	const char *kernel = spec->boot == BOOT_COLD ? "kernel_elf" : "kernel";

	TRY(span_copy_str(span_str(t->name), spec->template_name,
			  sizeof(spec->template_name)));
	TRY(fill_path(t, "root_image", spec->root_image));
	TRY(fill_path(t, "modules_image", spec->modules_image));
	TRY(fill_path(t, "initrd", spec->initrd));
	TRY(fill_path(t, "engine", spec->engine_root));
	return fill_path(t, kernel, spec->kernel);
}

int template_remove(const struct home *home, const char *name, struct err *e)
{
	CLEANUP(fd_close) int templates = -1;
	char path[PATH_MAX];
	int r = 0;

	TRY(check_name(name, e));
	TRY(home_path(home, path, "templates"));
	templates = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (templates < 0 || faccessat(templates, name, F_OK, 0) < 0)
		return err_set(e, -ENOENT,
			       "cannot remove the template \"%s\": it is not "
			       "built; see caponier template ls",
			       name);
	r = tree_remove(templates, name);
	if (r < 0)
		return err_set(e, r,
			       "cannot remove the template \"%s\": %s; "
			       "correct the permissions of %s",
			       name, err_text(NULL, r), path);
	return 0;
}
