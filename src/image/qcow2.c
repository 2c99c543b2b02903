// SPDX-License-Identifier: Apache-2.0
// Making empty qcow2 layers.
//
// Layout, one cluster each: header, refcount table, first refcount block,
// first-level table. All numbers are big-endian.

#include "image/qcow2.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

enum {
	CLUSTER_BITS = 16,
	CLUSTER_BYTES = 1 << CLUSTER_BITS,
	CLUSTERS_USED = 4,
	REFCOUNT_TABLE_AT = 1 * CLUSTER_BYTES,
	REFCOUNT_BLOCK_AT = 2 * CLUSTER_BYTES,
	L1_TABLE_AT = 3 * CLUSTER_BYTES,
	SECTOR_BYTES = 512,
};

/* What one entry of the first-level table covers. */
#define L1_ENTRY_BYTES ((uint64_t)CLUSTER_BYTES * (CLUSTER_BYTES / 8))

struct qcow2_header {
	uint32_t magic;
	uint32_t version;
	uint64_t backing_file_offset;
	uint32_t backing_file_size;
	uint32_t cluster_bits;
	uint64_t size;
	uint32_t crypt_method;
	uint32_t l1_size;
	uint64_t l1_table_offset;
	uint64_t refcount_table_offset;
	uint32_t refcount_table_clusters;
	uint32_t nb_snapshots;
	uint64_t snapshots_offset;
	uint64_t incompatible_features;
	uint64_t compatible_features;
	uint64_t autoclear_features;
	uint32_t refcount_order;
	uint32_t header_length;
	uint64_t end_of_extensions;
};
_Static_assert(sizeof(struct qcow2_header) == 112, "no padding");

static int write_at(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t n = pwrite(fd, bytes, len, at);

	if (n < 0)
		return neg_errno();
	return (size_t)n == len ? 0 : -ENOSPC;
}

int qcow2_create(int fd, uint64_t bytes)
{
	uint64_t l1_entries = (bytes + L1_ENTRY_BYTES - 1) / L1_ENTRY_BYTES;
	struct qcow2_header header = {
		.magic = htobe32(0x514649fb),
		.version = htobe32(3),
		.cluster_bits = htobe32(CLUSTER_BITS),
		.size = htobe64(bytes),
		.l1_size = htobe32((uint32_t)l1_entries),
		.l1_table_offset = htobe64(L1_TABLE_AT),
		.refcount_table_offset = htobe64(REFCOUNT_TABLE_AT),
		.refcount_table_clusters = htobe32(1),
		.refcount_order = htobe32(4), /* 16 bits a count */
		.header_length = htobe32(104),
	};
	uint64_t block = htobe64(REFCOUNT_BLOCK_AT);
	uint16_t counts[CLUSTERS_USED];

	if (bytes == 0 || bytes % SECTOR_BYTES != 0 ||
	    bytes > QCOW2_SIZE_MAX_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < CLUSTERS_USED; i++)
		counts[i] = htobe16(1);
	TRY(write_at(fd, &header, sizeof(header), 0));
	TRY(write_at(fd, &block, sizeof(block), REFCOUNT_TABLE_AT));
	TRY(write_at(fd, counts, sizeof(counts), REFCOUNT_BLOCK_AT));
	if (ftruncate(fd, (off_t)CLUSTERS_USED * CLUSTER_BYTES) < 0)
		return neg_errno();
	return 0;
}
