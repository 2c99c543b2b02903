// SPDX-License-Identifier: Apache-2.0
// Table-driven options: no ladder, no globals.

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "cli/cli.h"

static const struct option_row *find(const struct option_row *rows,
				     struct span name)
{
	for (; rows->name != NULL; rows++) {
		if (span_is(name, rows->name))
			return rows;
	}
	return NULL;
}

static uint8_t last_byte(struct span text)
{
	return text.len != 0 ? text.ptr[text.len - 1] : 0;
}

int parse_mib(const char *text, const char *what, unsigned *ret, struct err *e)
{
	struct span digits = span_str(text);
	uint8_t unit = last_byte(digits);
	uint64_t factor = unit == 'G' || unit == 'g' ? 1024 : 1;
	uint64_t number = 0;

	if (factor == 1 && unit != 'M' && unit != 'm')
		digits.len = 0; /* a bare number says no unit: refused */
	else
		digits.len--;
	if (num_parse(digits, 1, UINT32_MAX / 1024, &number) < 0)
		return err_set(e, -EINVAL,
			       "cannot use --%s %s: it is not a size; write a "
			       "whole number with M or G, such as 512M or 2G",
			       what, text);
	*ret = (unsigned)(number * factor);
	return 0;
}

int parse_cpus(const char *text, const char *what, unsigned *ret, struct err *e)
{
	struct span all = span_str(text);
	const char *dot = strchr(text, '.');
	size_t whole_len = dot != NULL ? (size_t)(dot - text) : all.len;
	struct span part = span_from(all, whole_len + 1);
	uint64_t whole = 0;
	uint64_t cents = 0;
	int r = num_parse(span_to(all, whole_len), 0, 1024, &whole);

	if (r == 0 && dot != NULL)
		r = part.len <= 2 ? num_parse(part, 0, 99, &cents) : -EINVAL;
	if (part.len == 1)
		cents *= 10;
	if (r < 0 || whole * 100 + cents == 0)
		return err_set(e, -EINVAL,
			       "cannot use --%s %s: it is not a number of "
			       "CPUs; write a decimal above 0 with at most two "
			       "places, such as 0.5 or 2",
			       what, text);
	*ret = (unsigned)(whole * 100 + cents);
	return 0;
}

static int parse_seconds(const char *text, const char *what, unsigned *ret,
			 struct err *e)
{
	uint64_t number = 0;

	if (num_parse(span_str(text), 1, 31536000, &number) < 0)
		return err_set(e, -EINVAL,
			       "cannot use --%s %s: it is not a number of "
			       "seconds; write a whole number from 1 to "
			       "31536000",
			       what, text);
	*ret = (unsigned)number;
	return 0;
}

static int append(struct option_list *list, const char *value, const char *what,
		  struct err *e)
{
	if (list->count == OPTION_LIST_MAX)
		return err_set(e, -E2BIG,
			       "cannot take --%s %s: it was given more than %d "
			       "times; give fewer",
			       what, value, OPTION_LIST_MAX);
	list->items[list->count++] = value;
	return 0;
}

static int store(const struct option_row *row, const char *value, void *into,
		 struct err *e)
{
	void *at = (char *)into + row->offset;
	unsigned number = 0;
	bool yes = true;
	int r = 0;

	switch (row->type) {
	case OPTION_FLAG:
		memcpy(at, &yes, sizeof(yes));
		return 0;
	case OPTION_TEXT:
		memcpy(at, (const void *)&value, sizeof(value));
		return 0;
	case OPTION_LIST:
		return append(at, value, row->name, e);
	case OPTION_MIB:
		r = parse_mib(value, row->name, &number, e);
		break;
	case OPTION_SECONDS:
		r = parse_seconds(value, row->name, &number, e);
		break;
	case OPTION_CPUS:
		r = parse_cpus(value, row->name, &number, e);
		break;
	}
	if (r == 0)
		memcpy(at, &number, sizeof(number));
	return r;
}

/* One "--name", "--name=value" or "--name value". */
static int take_one(const struct option_row *rows, void *into, int *argc,
		    char ***argv, const char *verb, struct err *e)
{
	const char *word = **argv + 2;
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
	const struct option_row *row = find(rows, span_of(word, len));
	const char *value = equals != NULL ? equals + 1 : NULL;

	if (row == NULL)
		return err_set(e, -EINVAL,
			       "cannot take --%.*s: caponier %s has no such "
			       "option; see caponier %s --help",
			       (int)len, word, verb, verb);
	if (row->type == OPTION_FLAG && value != NULL)
		return err_set(e, -EINVAL,
			       "cannot take --%s=%s: it takes no value; write "
			       "--%s",
			       row->name, value, row->name);
	if (row->type != OPTION_FLAG && value == NULL && *argc > 1) {
		(*argc)--;
		(*argv)++;
		value = **argv;
	}
	if (row->type != OPTION_FLAG && value == NULL)
		return err_set(e, -EINVAL,
			       "cannot take --%s: its value is missing; write "
			       "--%s %s",
			       row->name, row->name, row->value);
	return store(row, value, into, e);
}

int options_parse(const struct option_row *rows, void *into, int *argc,
		  char ***argv, const char *verb, struct err *e)
{
	for ((*argc)--, (*argv)++; *argc > 0; (*argc)--, (*argv)++) {
		const char *word = **argv;

		if (strcmp(word, "--") == 0) {
			(*argc)--;
			(*argv)++;
			return 0;
		}
		if (strncmp(word, "--", 2) != 0)
			return 0;
		TRY(take_one(rows, into, argc, argv, verb, e));
	}
	return 0;
}

int complain(const struct err *e, int code)
{
	(void)fprintf(stderr, "caponier: %s\n", err_text(e, code));
	return EXIT_CAPONIER;
}

void say(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("caponier: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}
