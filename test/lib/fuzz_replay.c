// SPDX-License-Identifier: Apache-2.0
// main() for a fuzz target without a fuzzer: replays its corpus as TAP points.

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* One more than the longest input a corpus may hold. */
#define INPUT_MAX_BYTES ((size_t)1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Reads @path into @input; the length, or -1 if it cannot be read whole. */
static long load(const char *path, uint8_t *input)
{
	FILE *file = fopen(path, "rbe");
	size_t len;
	int bad;

	if (file == NULL)
		return -1;
	len = fread(input, 1, INPUT_MAX_BYTES, file);
	bad = ferror(file) || len == INPUT_MAX_BYTES;
	return fclose(file) != 0 || bad ? -1 : (long)len;
}

static int replay(const char *dir, const char *name, int number)
{
	static uint8_t input[INPUT_MAX_BYTES];
	char path[4096];
	uint8_t *exact;
	long len;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	len = load(path, input);
	/* A heap copy of just its length, so that ASan sees one byte past. */
	exact = len < 0 ? NULL : malloc(len == 0 ? 1 : (size_t)len);
	if (exact == NULL) {
		printf("not ok %d - %s cannot be read\n", number, name);
		return 1;
	}
	for (long i = 0; i < len; i++)
		exact[i] = input[i];
	(void)LLVMFuzzerTestOneInput(exact, (size_t)len);
	free(exact);
	printf("ok %d - %s\n", number, name);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int count;
	int failed = 0;
	int number = 0;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	count = scandir(argv[1], &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.')
			failed += replay(argv[1], entries[i]->d_name, ++number);
		free(entries[i]);
	}
	free(entries);
	printf("1..%d\n", number);
	return failed > 0 || number == 0 ? 1 : 0;
}
