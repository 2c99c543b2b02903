// SPDX-License-Identifier: Apache-2.0
// Variants: a template booted once at a size, warmed and saved.

#include "cli/variant.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/variant_make.h"
#include "engine/qemu/command.h"
#include "engine/qemu/tsc.h"
#include "image/tree.h"

#define MANIFEST_FILE "variant.json"

enum { CPUINFO_MAX_BYTES = 1 << 20, SIZE_NAME_BYTES = 64 };

static const char *cpu_model(const char *accel)
{
	/* Guests of guests are refused: never VMX or SVM. */
	return span_is(span_str(accel), "kvm") ? "host,-vmx,-svm" : "max,-svm";
}

static void size_name(const struct sandbox_spec *spec,
		      char ret[SIZE_NAME_BYTES])
{
	(void)snprintf(ret, SIZE_NAME_BYTES, "%uc-%um-%.16s", spec->vcpus,
		       spec->mem_mib, spec->accel);
}

/* What the saved state fits: the settings that must be equal. */

/* What /proc/cpuinfo says of its first processor; empty if nothing. */
static struct span cpuinfo_field(const char *text, const char *name)
{
	const char *at = text != NULL ? strstr(text, name) : NULL;
	const char *end = NULL;

	at = at != NULL ? strstr(at, ": ") : NULL;
	end = at != NULL ? strchr(at, '\n') : NULL;
	return end != NULL ? span_of(at + 2, (size_t)(end - at) - 2) :
			     span_of(NULL, 0);
}

/* The processor: a saved guest counts on the speed of its counter, and under
 * KVM on its features, which the same model has or lacks by its microcode. */
static int expect_cpu(const struct sandbox_spec *spec, struct manifest *m)
{
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(CPUINFO_MAX_BYTES);
	char model[MANIFEST_VALUE_BYTES] = "";
	struct digest features = { 0 };
	const char *all = NULL;

	TRY(fd_read_file(AT_FDCWD, "/proc/cpuinfo", &text));
	all = buf_cstr(&text);
	TRY(span_copy_str(cpuinfo_field(all, "model name"), model,
			  sizeof(model)));
	TRY(manifest_set(m, "host_cpu", "%s", model));
	if (!span_is(span_str(spec->accel), "kvm"))
		return 0;
	TRY(digest_span(cpuinfo_field(all, "flags"), &features));
	return manifest_set(m, "host_cpu_flags", "%s", features.hex);
}

static int put_command(const struct sandbox_spec *spec, struct buf *out)
{
	CLEANUP(qemu_command_fini) struct qemu_command command = { 0 };

	TRY(qemu_command_init(spec, &command));
	for (size_t i = 0; i < command.argc; i++)
		TRY(buf_printf(out, "%s\n", command.argv[i]));
	return 0;
}

/* How the guest was booted, its kernel's command line above all, and how it is
 * restored; without the counter's speed, which is measured anew each time and
 * differs a little. expect_cpu() stands for it. */
static int command_digest(const struct sandbox_spec *spec, struct digest *ret)
{
	CLEANUP(mem_free_ptr)
	struct sandbox_spec *plain = mem_new(1, sizeof(*plain));
	CLEANUP(buf_fini) struct buf text = BUF_EMPTY(65536);

	if (plain == NULL)
		return -ENOMEM;
	*plain = *spec;
	plain->tsc_khz = 0;
	plain->boot = BOOT_TEMPLATE;
	TRY(put_command(plain, &text));
	plain->boot = BOOT_RESTORE;
	TRY(put_command(plain, &text));
	return digest_span(buf_span(&text), ret);
}

static int expected(const struct sandbox_template *t,
		    const struct sandbox_spec *spec, struct manifest *m)
{
	struct digest command = { 0 };
	struct digest parts = { 0 };
	const char *kernel = manifest_get(&t->manifest, "kernel_version");
	const char *engine = manifest_get(&t->manifest, "engine_version");

	if (kernel == NULL || engine == NULL)
		return -EBADMSG;
	TRY(command_digest(spec, &command));
	TRY(digest_path(t->file, &parts));
	TRY(manifest_set(m, "format", "%d", TEMPLATE_FORMAT));
	TRY(manifest_set(m, "engine_version", "%s", engine));
	TRY(manifest_set(m, "kernel_version", "%s", kernel));
	TRY(manifest_set(m, "accel", "%s", spec->accel));
	TRY(manifest_set(m, "cpu_model", "%s", spec->cpu_model));
	TRY(manifest_set(m, "vcpus", "%u", spec->vcpus));
	TRY(manifest_set(m, "mem_mib", "%u", spec->mem_mib));
	TRY(manifest_set(m, "base_disk_mib", "%d", VARIANT_DISK_MIB));
	TRY(expect_cpu(spec, m));
	TRY(manifest_set(m, "command", "%s", command.hex));
	return manifest_set(m, "template", "%s", parts.hex);
}

static int compare(const struct manifest *want, const struct manifest *have,
		   struct err *e)
{
	for (size_t i = 0; i < want->setting_count; i++) {
		const char *name = want->settings[i].name;
		const char *now = want->settings[i].value;
		const char *was = manifest_get(have, name);

		if (was == NULL || strcmp(was, now) != 0)
			return err_set(e, -ESTALE,
				       "cannot load the saved guest: its "
				       "\"%s\" was %s and is %s now; it has "
				       "to be saved again",
				       name, was != NULL ? was : "not set",
				       now);
	}
	return 0;
}

static int join(char ret[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(ret, PATH_MAX, "%s/%s", dir, name);

	return n >= 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Check the variant in @dir and, if it is what it should be, fill it in. */
static int load(const struct home *home, const struct manifest *want,
		const char *dir, struct sandbox_spec *spec, struct err *e)
{
	CLEANUP(mem_free_ptr) struct manifest *have = mem_new(1, sizeof(*have));
	char file[PATH_MAX];
	const char *part = NULL;

	if (have == NULL)
		return -ENOMEM;
	TRY(join(file, dir, MANIFEST_FILE));
	if (access(file, F_OK) < 0)
		return -ENOENT;
	TRY(manifest_load(home, file, have, e));
	TRY(compare(want, have, e));
	TRY(manifest_verify(home, have, file, &part, e));
	TRY(join(spec->ram, dir, "ram"));
	TRY(join(spec->vm_state, dir, "state"));
	TRY(join(spec->base_layer, dir, "layer.qcow2"));
	spec->boot = BOOT_RESTORE;
	spec->base_disk_mib = VARIANT_DISK_MIB;
	return 0;
}

/* Making one, under a lock. */

static int lock_template(const struct sandbox_template *t, struct err *e)
{
	char path[PATH_MAX];
	int fd = -1;
	int r = 0;

	TRY(join(path, t->dir, "lock"));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	r = neg_errno();
	fd_close(&fd);
	return err_set(e, r,
		       "cannot save a guest of this size: %s: %s; run caponier "
		       "as the user who built the template, or use "
		       "--no-snapshot",
		       path, err_text(NULL, r));
}

static int remove_dir(const struct sandbox_template *t, const char *name)
{
	CLEANUP(fd_close)
	int dir = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? neg_errno() : tree_remove(dir, name);
}

struct maker {
	const struct home *home;
	const struct install *install;
	const struct sandbox_template *t;
	const struct variant_wish *wish;
	const struct manifest *want;
	char name[SIZE_NAME_BYTES];
	char dir[PATH_MAX];
	char stage[PATH_MAX];
};

/* Write the manifest over the staged files, then give them their name. */
static int seal(const struct maker *m, struct err *e)
{
	static const char *const files[][2] = { { "ram", "ram" },
						{ "vm_state", "state" },
						{ "base_layer",
						  "layer.qcow2" } };
	CLEANUP(mem_free_ptr)
	struct manifest *sealed = mem_new(1, sizeof(*sealed));
	char file[PATH_MAX];

	if (sealed == NULL)
		return -ENOMEM;
	*sealed = *m->want;
	if (rename(m->stage, m->dir) < 0)
		return neg_errno();
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		TRY(join(file, m->dir, files[i][1]));
		TRY(manifest_add_part(sealed, files[i][0], file));
	}
	TRY(join(file, m->dir, MANIFEST_FILE));
	return manifest_write(&m->t->home, sealed, file, e);
}

static int boot_and_save(const struct maker *m, const struct sandbox_spec *spec,
			 struct err *e)
{
	uint64_t start_ns = clock_boot_ns();

	TRY(variant_make(m->home, m->install, m->t, spec, m->stage, e));
	if (!m->wish->is_quiet)
		say("saved after %.1f s",
		    (double)(clock_boot_ns() - start_ns) / (double)NS_PER_S);
	return 0;
}

static int make_locked(const struct maker *m, const struct sandbox_spec *spec,
		       struct err *e)
{
	int r = remove_dir(m->t, m->name);

	if (r == 0)
		r = remove_dir(m->t, ".stage");
	if (r == 0)
		r = home_mkdir(m->stage, e);
	if (r == 0)
		r = boot_and_save(m, spec, e);
	if (r == 0)
		r = seal(m, e);
	if (r < 0) {
		(void)!remove_dir(m->t, ".stage");
		return err_set(e, r,
			       "cannot save a guest of %u CPUs and %u MiB: "
			       "%s; free space, or use --no-snapshot",
			       spec->vcpus, spec->mem_mib, err_text(NULL, r));
	}
	return 0;
}

static int make(const struct maker *m, struct sandbox_spec *spec, struct err *e)
{
	CLEANUP(fd_close) int lock = lock_template(m->t, e);
	struct err none = { 0 };

	TRY(lock);
	/* Somebody else may have made it while this one waited. */
	if (load(&m->t->home, m->want, m->dir, spec, &none) == 0)
		return 0;
	TRY(make_locked(m, spec, e));
	return load(&m->t->home, m->want, m->dir, spec, e);
}

static int restore_from(struct maker *m, struct sandbox_spec *spec,
			struct err *e)
{
	struct err why = { 0 };
	int r = 0;

	size_name(spec, m->name);
	TRY(join(m->dir, m->t->dir, m->name));
	TRY(join(m->stage, m->t->dir, ".stage"));
	r = load(&m->t->home, m->want, m->dir, spec, &why);
	if (r == 0)
		return 0;
	if (r != -ENOENT && m->wish->no_rebuild)
		return err_set(e, r, "%s (--no-rebuild forbids it)", why.text);
	if (r != -ENOENT)
		say("%s; saving it again", why.text);
	else if (!m->wish->is_quiet)
		say("no guest of %u CPUs and %u MiB is saved yet: booting one, "
		    "once",
		    spec->vcpus, spec->mem_mib);
	return make(m, spec, e);
}

/* The template itself. */

static int remove_damaged(const struct sandbox_template *t, const char *part)
{
	static const char *const whole_dirs[] = { "root_image", "modules_image",
						  "kernel", "kernel_elf",
						  "engine" };
	const char *path = manifest_path(&t->manifest, part);
	char dir[PATH_MAX];
	char *slash = NULL;

	for (size_t i = 0; i < ARRAY_LEN(whole_dirs); i++) {
		CLEANUP(fd_close) int above = -1;

		if (path == NULL || strcmp(part, whole_dirs[i]) != 0)
			continue;
		/* .../<build>/<file>: the scripts make <build> anew. */
		TRY(span_copy_str(span_str(path), dir, sizeof(dir)));
		slash = strrchr(dir, '/');
		if (slash == NULL)
			return -EINVAL;
		*slash = '\0';
		slash = strrchr(dir, '/');
		if (slash == NULL)
			return -EINVAL;
		*slash = '\0';
		above = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return above < 0 ? neg_errno() : tree_remove(above, slash + 1);
	}
	return 0;
}

static int open_verified(const struct home *home, const struct install *install,
			 const char *name, const struct variant_wish *wish,
			 struct sandbox_template *ret, struct err *e)
{
	const char *part = NULL;
	struct err why = { 0 };
	int r = 0;

	TRY(template_open(home, name, ret, e));
	r = template_verify(ret, &part, &why);
	if (r == 0)
		return 0;
	if (wish->no_rebuild)
		return err_set(e, r, "%s (--no-rebuild forbids it)", why.text);
	say("%s: doing that now", why.text);
	TRY(remove_damaged(ret, part));
	TRY(template_build(home, install, name, NULL, NULL, e));
	TRY(template_open(home, name, ret, e));
	return template_verify(ret, &part, e);
}

int variant_prepare(const struct home *home, const struct install *install,
		    const char *template_name, const struct variant_wish *wish,
		    struct sandbox_spec *spec, struct err *e)
{
	CLEANUP(mem_free_ptr)
	struct sandbox_template *t = mem_new(1, sizeof(*t));
	CLEANUP(mem_free_ptr) struct manifest *want = mem_new(1, sizeof(*want));
	struct maker m = { .home = home,
			   .install = install,
			   .t = t,
			   .wish = wish,
			   .want = want };

	if (t == NULL || want == NULL)
		return -ENOMEM;
	if (spec->disk_mib < VARIANT_DISK_MIB)
		return err_set(e, -EINVAL,
			       "cannot use --disk %uM: a template's own disk "
			       "has %d MiB already; ask for at least that",
			       spec->disk_mib, VARIANT_DISK_MIB);
	TRY(open_verified(home, install, template_name, wish, t, e));
	spec->boot = BOOT_COLD;
	spec->base_disk_mib = spec->disk_mib;
	TRY(span_copy_str(span_str(cpu_model(spec->accel)), spec->cpu_model,
			  sizeof(spec->cpu_model)));
	if (wish->no_snapshot) {
		spec->tsc_khz = tsc_khz();
	} else {
		TRY(expected(t, spec, want));
		TRY(restore_from(&m, spec, e));
	}
	return template_fill(t, spec);
}

static void dir_close(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
	*d = NULL;
}

json_t *variant_list(const struct sandbox_template *t)
{
	CLEANUP(dir_close) DIR *d = opendir(t->dir);
	json_t *rows = json_array();

	for (struct dirent *entry = d != NULL ? readdir(d) : NULL;
	     entry != NULL; entry = readdir(d)) {
		char dir[PATH_MAX];
		char file[PATH_MAX];

		if (entry->d_name[0] == '.' ||
		    join(dir, t->dir, entry->d_name) < 0 ||
		    join(file, dir, MANIFEST_FILE) < 0 ||
		    access(file, F_OK) < 0)
			continue;
		(void)!json_array_append_new(
			rows, json_pack("{s:s,s:s}", "size", entry->d_name,
					"path", dir));
	}
	return rows;
}
