// SPDX-License-Identifier: Apache-2.0
// Variants: a template booted once at a size, warmed and saved.

#include "image/variant.h"

static const char *cpu_model(const char *accel)
{
	return span_is(span_str(accel), "kvm") ? "host,-vmx,-svm" : "max";
}

int variant_prepare(const struct home *home, const struct install *install,
		    const char *template_name, const struct variant_wish *wish,
		    struct sandbox_spec *spec, struct err *e)
{
	struct template t = { .name = "" };
	const char *part = NULL;

	(void)install;
	(void)wish;
	TRY(template_open(home, template_name, &t, e));
	TRY(template_verify(home, &t, &part, e));
	spec->boot = BOOT_COLD;
	spec->base_disk_mib = spec->disk_mib;
	TRY(span_copy_str(span_str(cpu_model(spec->accel)), spec->cpu_model,
			  sizeof(spec->cpu_model)));
	TRY(span_copy_str(span_str("caponier"), spec->hostname,
			  sizeof(spec->hostname)));
	return template_fill(&t, spec);
}

json_t *variant_list(const struct template *t)
{
	(void)t;
	return json_array();
}
