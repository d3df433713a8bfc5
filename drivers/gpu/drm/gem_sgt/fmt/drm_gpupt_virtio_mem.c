// SPDX-License-Identifier: GPL-2.0

#include <asm/byteorder.h>
#include <linux/export.h>
#include <linux/math.h>
#include <linux/string.h>
#include <linux/virtio_gpu.h>

#include <drm/drm_gpupt_fmt.h>

/**
 * DOC: format virtio_mem
 *
 * The list of memory entries behind a RESOURCE_ATTACH_BACKING of virtio-gpu:
 * Virtual I/O Device (VIRTIO) version 1.2, section 5.7.6.8. An entry has an
 * address and a length of 32 bits.
 *
 * More than 16384 entries, QEMU refuses (virtio_gpu_create_mapping_iov() in
 * hw/display/virtio-gpu.c). The specification knows no limit and no way to ask
 * for one.
 */

#define VIRTIO_MEM_MAX_ENTRIES	16384

/* Pages stay whole. */
#define VIRTIO_MEM_MAX_LEN	(SZ_4G - SZ_4K)

static void virtio_mem_fill(struct drm_gpupt_fill *fill)
{
	struct virtio_gpu_mem_entry *entry = fill->entry;
	struct virtio_gpu_mem_entry *end = entry + fill->count;

	for (; entry < end; entry++) {
		u64 len;

		if (!fill->seg.len && !drm_gpupt_fill_next(fill))
			return;
		len = min(fill->seg.len, VIRTIO_MEM_MAX_LEN);
		*entry = (struct virtio_gpu_mem_entry) {
			.addr = cpu_to_le64(fill->seg.addr),
			.length = cpu_to_le32(len),
		};
		fill->seg.addr += len;
		fill->seg.len -= len;
	}
}

static void virtio_mem_clear(void *entry, unsigned int count)
{
	memset(entry, 0, count * sizeof(struct virtio_gpu_mem_entry));
}

static enum drm_gpupt_entry virtio_mem_read(const void *entry, unsigned int level,
					    struct drm_gpupt_run *run)
{
	const struct virtio_gpu_mem_entry *mem = entry;

	run->seg.addr = le64_to_cpu(mem->addr);
	run->seg.len = le32_to_cpu(mem->length);
	run->prot = 0;
	return run->seg.len ? DRM_GPUPT_ENTRY_LEAF : DRM_GPUPT_ENTRY_NONE;
}

const struct drm_gpupt_fmt drm_gpupt_virtio_mem = {
	.name = "virtio_mem",
	.level = {
		{ .shift = 12, .bits = 8, .leaf = true },
		{ .bits = 6 },
	},
	.levels = 1,
	.entry_size = sizeof(struct virtio_gpu_mem_entry),
	.addr_bits = 64,
	.list = true,
	.max_entries = VIRTIO_MEM_MAX_ENTRIES,
	.max_len = VIRTIO_MEM_MAX_LEN,
	.fill = virtio_mem_fill,
	.clear = virtio_mem_clear,
	.read = virtio_mem_read,
};
EXPORT_SYMBOL_GPL(drm_gpupt_virtio_mem);
