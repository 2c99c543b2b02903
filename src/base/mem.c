// SPDX-License-Identifier: Apache-2.0
// The only door to the heap.

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void *mem_new(size_t count, size_t size)
{
	return calloc(count, size);
}

void *mem_resize(void *old, size_t bytes)
{
	return realloc(old, bytes);
}

void mem_free(void *ptr)
{
	free(ptr);
}

char *mem_str(const char *s)
{
	return strdup(s);
}

void mem_free_ptr(void *ptr)
{
	void *owned = NULL;

	memcpy(&owned, ptr, sizeof(owned));
	free(owned);
}
