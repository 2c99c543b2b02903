/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to the heap: sizes are checked, memory comes zeroed. */
#ifndef CPN_BASE_MEM_H
#define CPN_BASE_MEM_H

#include <stddef.h>

#include "base/macros.h"

/**
 * mem_new() - zeroed memory for @count objects of @size bytes
 *
 * Return: owned memory for mem_free(), or NULL if there is none or the
 *         product overflows.
 * Context: any thread; allocates.
 */
void *mem_new(size_t count, size_t size) MUST_CHECK;

/**
 * mem_resize() - change the size of an allocation
 * @old: from mem_new(), or NULL; still valid on failure
 * @bytes: new size, above zero; added bytes are not zeroed
 *
 * Return: the new memory, or NULL.
 * Context: any thread; allocates.
 */
void *mem_resize(void *old, size_t bytes) MUST_CHECK;

/**
 * mem_free() - give memory back; NULL is allowed
 * Context: any thread.
 */
void mem_free(void *ptr);

/**
 * mem_str() - an owned copy of a C string
 *
 * Return: owned string for mem_free(), or NULL.
 * Context: any thread; allocates.
 */
char *mem_str(const char *s) MUST_CHECK;

/**
 * mem_free_ptr() - CLEANUP helper: frees what a pointer variable points to
 * @ptr: address of the pointer variable
 * Context: any thread.
 */
void mem_free_ptr(void *ptr);

#endif
