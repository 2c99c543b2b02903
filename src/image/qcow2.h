/* SPDX-License-Identifier: Apache-2.0 */
/* Making empty qcow2 layers, so that a create needs no qemu-img. */
#ifndef CPN_IMAGE_QCOW2_H
#define CPN_IMAGE_QCOW2_H

#include <stdint.h>

#include "base/macros.h"

/* Greatest disk one cluster of the first-level table can describe. */
#define QCOW2_SIZE_MAX_BYTES (UINT64_C(4) << 40)

/**
 * qcow2_create() - write an empty copy-on-write layer
 * @fd:    an empty file, written from its start; 256 KiB long afterwards and
 *         sparse
 * @bytes: size of the disk it describes, a multiple of 512, above zero
 *
 * Version 3, clusters of 64 KiB. The layer names no backing file: whoever
 * opens it says what lies below, so that a guest's image can never name a
 * file of the host.
 *
 * Return: 0; -EINVAL for a bad size; -errno.
 * Context: blocks.
 * Spec: QEMU docs/interop/qcow2.rst
 */
int qcow2_create(int fd, uint64_t bytes) MUST_CHECK;

#endif
