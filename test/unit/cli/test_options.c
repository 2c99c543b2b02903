// SPDX-License-Identifier: Apache-2.0
// The option table: every type, where parsing ends, and each sentence once.

#include "cli/cli.h"

#include <stddef.h>

#include "tap.h"

struct wanted {
	bool is_quiet;
	const char *name;
	struct option_list env;
	unsigned mem_mib;
	unsigned timeout_s;
	unsigned cpu_cents;
};

static const struct option_row ROWS[] = {
	{ "quiet", NULL, OPTION_FLAG, offsetof(struct wanted, is_quiet), "" },
	{ "name", "NAME", OPTION_TEXT, offsetof(struct wanted, name), "" },
	{ "env", "A=B", OPTION_LIST, offsetof(struct wanted, env), "" },
	{ "mem", "SIZE", OPTION_MIB, offsetof(struct wanted, mem_mib), "" },
	{ "timeout", "SECONDS", OPTION_SECONDS,
	  offsetof(struct wanted, timeout_s), "" },
	{ "cpus", "N", OPTION_CPUS, offsetof(struct wanted, cpu_cents), "" },
	{ NULL, NULL, OPTION_FLAG, 0, NULL },
};

static struct wanted got;
static struct err e;
static int left;
static char **rest;

/* Parses words separated by one space; @text is cut up. */
static int parse(const char *text)
{
	static char copy[512];
	static char *words[64];

	got = (struct wanted){ .timeout_s = 77 };
	e = (struct err){ 0 };
	left = 0;
	rest = words;
	(void)snprintf(copy, sizeof(copy), "run %s", text);
	for (char *at = copy; at != NULL; words[left] = NULL) {
		words[left++] = at;
		at = strchr(at, ' ');
		if (at != NULL)
			*at++ = '\0';
	}
	return options_parse(ROWS, &got, &left, &rest, "run", &e);
}

static bool is_refused(const char *text, const char *sentence)
{
	return CHECK_EQ(parse(text), -EINVAL) && CHECK_STR(e.text, sentence);
}

TEST(every_type_is_stored_both_ways)
{
	CHECK_EQ(parse("--quiet --name=a=b --env X=1 --env=Y --mem 2G "
		       "--timeout=60 --cpus 1.5 cmd --name z"),
		 0);
	CHECK(got.is_quiet);
	CHECK_STR(got.name, "a=b");
	CHECK_EQ(got.env.count, 2);
	CHECK_STR(got.env.items[0], "X=1");
	CHECK_STR(got.env.items[1], "Y");
	CHECK_EQ(got.mem_mib, 2048);
	CHECK_EQ(got.timeout_s, 60);
	CHECK_EQ(got.cpu_cents, 150);
	CHECK_EQ(left, 3);
	CHECK_STR(rest[0], "cmd");
	CHECK_STR(rest[1], "--name");
}

TEST(options_end_at_the_first_operand_or_two_dashes)
{
	CHECK_EQ(parse("--quiet -- --name"), 0);
	CHECK_EQ(left, 1);
	CHECK_STR(rest[0], "--name");
	CHECK_EQ(parse("-x --quiet"), 0);
	CHECK_EQ(left, 2);
	CHECK(!got.is_quiet);
	CHECK_EQ(parse("--"), 0);
	CHECK_EQ(left, 0);
	CHECK_EQ(parse("- --quiet"), 0);
	CHECK_STR(rest[0], "-");
	CHECK_EQ(parse("--quiet"), 0);
	CHECK_EQ(left, 0);
}

TEST(what_is_not_given_stays)
{
	CHECK_EQ(parse("cmd"), 0);
	CHECK_EQ(got.timeout_s, 77);
	CHECK(got.name == NULL);
	CHECK_EQ(parse("--timeout 0"), -EINVAL);
	CHECK_EQ(got.timeout_s, 77);
}

TEST(the_last_of_two_counts_and_an_empty_text_is_one)
{
	CHECK_EQ(parse("--name a --name b"), 0);
	CHECK_STR(got.name, "b");
	CHECK_EQ(parse("--name= cmd"), 0);
	CHECK_STR(got.name, "");
	CHECK_STR(rest[0], "cmd");
}

TEST(the_sentences_are_these)
{
	is_refused("--nam x", "cannot take --nam: caponier run has no such "
			      "option; see caponier run --help");
	is_refused("--names=x", "cannot take --names: caponier run has no such "
				"option; see caponier run --help");
	is_refused("--quiet=yes", "cannot take --quiet=yes: it takes no value; "
				  "write --quiet");
	is_refused("--mem", "cannot take --mem: its value is missing; write "
			    "--mem SIZE");
	is_refused("--mem 512",
		   "cannot use --mem 512: it is not a size; write a whole "
		   "number with M or G, such as 512M or 2G");
	is_refused("--timeout 1h",
		   "cannot use --timeout 1h: it is not a number of seconds; "
		   "write a whole number from 1 to 31536000");
	is_refused("--cpus two",
		   "cannot use --cpus two: it is not a number of CPUs; write a "
		   "decimal above 0 with at most two places, such as 0.5 or 2");
}

TEST(a_list_has_an_end)
{
	static struct option_list full = { .count = OPTION_LIST_MAX };
	static const struct option_row ROW[] = {
		{ "env", "A=B", OPTION_LIST, 0, "" },
		{ NULL, NULL, OPTION_FLAG, 0, NULL },
	};
	char verb[] = "run";
	char word[] = "--env=A";
	char *words[] = { verb, word, NULL };
	char **at = words;
	int count = 2;

	e = (struct err){ 0 };
	CHECK_EQ(options_parse(ROW, &full, &count, &at, "run", &e), -E2BIG);
	CHECK_STR(e.text, "cannot take --env A: it was given more than 128 "
			  "times; give fewer");
}

TEST(sizes_have_a_unit_and_no_more)
{
	static const char *const BAD[] = {
		"",	    "M",
		"G",	    "512",
		"0M",	    "-1M",
		"1.5G",	    "1K",
		"1MB",	    " 1M",
		"1 M",	    "4194304M",
		"4194304G", "99999999999999999999G"
	};
	unsigned mib = 7;

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		CHECK_EQ(parse_mib(BAD[i], "mem", &mib, NULL), -EINVAL);
	CHECK_EQ(mib, 7);
	CHECK_EQ(parse_mib("1M", "mem", &mib, NULL), 0);
	CHECK_EQ(mib, 1);
	CHECK_EQ(parse_mib("3g", "mem", &mib, NULL), 0);
	CHECK_EQ(mib, 3072);
	CHECK_EQ(parse_mib("4194303G", "mem", &mib, NULL), 0);
	CHECK_EQ(mib, 4294966272);
}

TEST(cpus_are_decimals_of_two_places)
{
	static const char *const BAD[] = { "",	   ".",	   ".5",  "1.",
					   "0",	   "0.00", "-1",  "1.555",
					   "1025", "1,5",  "1e1", "1.5.5" };
	static const struct {
		const char *text;
		unsigned cents;
	} GOOD[] = { { "0.01", 1 }, { "0.5", 50 },   { "0.05", 5 },
		     { "2", 200 },  { "1.25", 125 }, { "1024.99", 102499 } };
	unsigned cents = 7;

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		CHECK_EQ(parse_cpus(BAD[i], "cpus", &cents, NULL), -EINVAL);
	CHECK_EQ(cents, 7);
	for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
		CHECK_EQ(parse_cpus(GOOD[i].text, "cpus", &cents, NULL), 0);
		CHECK_EQ(cents, GOOD[i].cents);
	}
}

TESTS(RUN(every_type_is_stored_both_ways),
      RUN(options_end_at_the_first_operand_or_two_dashes),
      RUN(what_is_not_given_stays),
      RUN(the_last_of_two_counts_and_an_empty_text_is_one),
      RUN(the_sentences_are_these), RUN(a_list_has_an_end),
      RUN(sizes_have_a_unit_and_no_more), RUN(cpus_are_decimals_of_two_places))
