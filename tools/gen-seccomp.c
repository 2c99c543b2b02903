// SPDX-License-Identifier: Apache-2.0
// Compiles a reviewed list of system calls into a BPF program, at build time.
//
// A line of the list:   NAME [aN OP VALUE]...   # why
//   OP is == or &MASK== ; lines for one name add up. "errno NAME CODE" answers
//   with an error instead. Everything else kills the process, and so does any
//   other architecture.

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 512, ARGS_MAX = 6, PROGRAM_MAX = 4096 };

struct place {
	const char *file;
	int line;
};

static _Noreturn void fail(const struct place *at, const char *why,
			   const char *what)
{
	(void)fprintf(stderr, "%s:%d: %s: %s\n", at->file, at->line, why, what);
	exit(1);
}

static int number_of(const struct place *at, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		fail(at, "no such system call", name);
	return number;
}

static uint64_t take_number(const struct place *at, const char **text)
{
	char *end = NULL;
	uint64_t number = strtoull(*text, &end, 0);

	if (end == *text)
		fail(at, "not a number", *text);
	*text = end;
	return number;
}

/* "a0==5" or "a0&15==5" */
static struct scmp_arg_cmp condition(const struct place *at, const char *word)
{
	const char *text = word + 1;
	bool is_masked = false;
	uint64_t mask = 0;
	uint64_t value = 0;
	unsigned arg = 0;

	if (word[0] != 'a')
		fail(at, "not a condition", word);
	arg = (unsigned)take_number(at, &text);
	if (*text == '&') {
		text++;
		mask = take_number(at, &text);
		is_masked = true;
	}
	if (arg >= ARGS_MAX || strncmp(text, "==", 2) != 0)
		fail(at, "not a condition", word);
	text += 2;
	value = take_number(at, &text);
	if (*text != '\0')
		fail(at, "not a condition", word);
	return (struct scmp_arg_cmp){
		.arg = arg,
		.op = is_masked ? SCMP_CMP_MASKED_EQ : SCMP_CMP_EQ,
		.datum_a = is_masked ? mask : value,
		.datum_b = is_masked ? value : 0,
	};
}

static void add_line(scmp_filter_ctx filter, const struct place *at, char *text)
{
	struct scmp_arg_cmp args[ARGS_MAX];
	unsigned count = 0;
	uint32_t action = SCMP_ACT_ALLOW;
	char *save = NULL;
	char *why = strchr(text, '#');
	char *name = NULL;

	text += strspn(text, " \t\n");
	if (why == text || text[0] == '\0')
		return;
	if (why == NULL)
		fail(at, "no reason given behind '#'", text);
	*why = '\0';
	name = strtok_r(text, " \t\n", &save);
	if (strcmp(name, "errno") == 0) {
		char *code = NULL;

		name = strtok_r(NULL, " \t\n", &save);
		code = strtok_r(NULL, " \t\n", &save);
		if (name == NULL || code == NULL)
			fail(at, "incomplete", "errno");
		action = SCMP_ACT_ERRNO((uint32_t)strtoul(code, NULL, 10));
	}
	for (char *word = strtok_r(NULL, " \t\n", &save); word != NULL;
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (count == ARGS_MAX)
			fail(at, "too many conditions", name);
		args[count++] = condition(at, word);
	}
	if (seccomp_rule_add_array(filter, action, number_of(at, name), count,
				   args) < 0)
		fail(at, "the rule is not taken", name);
}

static void emit(scmp_filter_ctx filter, const char *name, FILE *out)
{
	static uint64_t program[PROGRAM_MAX];
	FILE *bpf = tmpfile();
	size_t count = 0;

	if (bpf == NULL || seccomp_export_bpf(filter, fileno(bpf)) < 0 ||
	    fseek(bpf, 0, SEEK_SET) < 0) {
		(void)fprintf(stderr, "the filter cannot be written\n");
		exit(1);
	}
	count = fread(program, sizeof(program[0]), PROGRAM_MAX, bpf);
	if (count == 0 || count == PROGRAM_MAX) {
		(void)fprintf(stderr, "the filter is empty or too long\n");
		exit(1);
	}
	(void)fclose(bpf);
	(void)fprintf(out,
		      "/* Made by tools/gen-seccomp.c from a .tbl file. */\n"
		      "#include <linux/filter.h>\n\n"
		      "static const struct sock_filter %s_code[] = {\n",
		      name);
	for (size_t i = 0; i < count; i++) {
		const struct {
			uint16_t code;
			uint8_t jt;
			uint8_t jf;
			uint32_t k;
		} *at = (const void *)&program[i];

		(void)fprintf(out, "\t{ 0x%04x, %u, %u, 0x%08x },\n", at->code,
			      at->jt, at->jf, at->k);
	}
	(void)fprintf(out,
		      "};\n\nstatic const struct sock_fprog %s = {\n"
		      "\t.len = sizeof(%s_code) / sizeof(%s_code[0]),\n"
		      "\t.filter = (struct sock_filter *)%s_code,\n};\n",
		      name, name, name, name);
}

int main(int argc, char **argv)
{
	struct place at = { .line = 0 };
	char line[LINE_BYTES];
	scmp_filter_ctx filter = NULL;
	FILE *in = NULL;
	FILE *out = NULL;

	if (argc != 5) {
		(void)fprintf(stderr, "usage: gen-seccomp LIST HEADER NAME "
				      "kill|log\n");
		return 1;
	}
	at.file = argv[1];
	in = fopen(argv[1], "r");
	out = fopen(argv[2], "w");
	filter = seccomp_init(strcmp(argv[4], "log") == 0 ?
				      SCMP_ACT_LOG :
				      SCMP_ACT_KILL_PROCESS);
	if (in == NULL || out == NULL || filter == NULL)
		fail(&at, "cannot be opened, or its header", argv[2]);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
			       SCMP_ACT_KILL_PROCESS);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	while (fgets(line, sizeof(line), in) != NULL) {
		at.line++;
		add_line(filter, &at, line);
	}
	emit(filter, argv[3], out);
	seccomp_release(filter);
	(void)fclose(in);
	return fclose(out) == 0 ? 0 : 1;
}
