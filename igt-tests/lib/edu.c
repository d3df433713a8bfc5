// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <limits.h>

#include "igt.h"
#include "edu.h"
#include <drm/edu_gpu_drm.h>
#include "sgt_fence.h"

#define DRIVER		"/sys/bus/pci/drivers/edu_gpu/"
#define HUGE		"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static int find_pci(char pci[64])
{
	DIR *dir = opendir(DRIVER);
	struct dirent *entry;
	int err = -ENODEV;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "0000:", 5))
			continue;
		snprintf(pci, 64, "%.63s", entry->d_name);
		err = 0;
	}
	closedir(dir);
	return err;
}

void edu_begin(char pci[64])
{
	igt_require(geteuid() == 0);
	sgt_module_load("edu_gpu");
	if (sgt_setup_is("edu"))
		sgt_must(find_pci(pci));
	else
		igt_require_f(!find_pci(pci), "no edu device with an MMU\n");
	/* So that buffers are large enough for large leaves. */
	sgt_write_file(HUGE, "force");
}

int edu_open(void)
{
	return sgt_must(sgt_open_driver("edu_gpu"));
}

void edu_make(struct sgt_bo *bo, int drm, unsigned int pages, uint32_t seed)
{
	sgt_must(sgt_bo_create(bo, drm, PAGE / 4, pages));
	sgt_must(sgt_bo_map(bo));
	igt_assert_eq_u64(bo->size, pages * PAGE);
	sgt_fill(bo->map, sgt_bo_words(bo), seed);
}

static int vm_bind(int drm, struct drm_edu_gpu_vm_bind args)
{
	return drmIoctl(drm, DRM_IOCTL_EDU_GPU_VM_BIND, &args) ? -errno : 0;
}

static int map(const struct sgt_bo *bo, uint64_t va, uint64_t len, uint64_t offset,
	       uint32_t op, uint32_t flags)
{
	return vm_bind(bo->drm, (struct drm_edu_gpu_vm_bind) {
		.op = op,
		.flags = flags,
		.handle = bo->handle,
		.va = va,
		.len = len,
		.offset = offset,
	});
}

int edu_map(const struct sgt_bo *bo, uint64_t va, uint64_t len, uint64_t offset)
{
	return map(bo, va, len, offset, EDU_GPU_VM_BIND_MAP, 0);
}

int edu_map_readonly(const struct sgt_bo *bo, uint64_t va, uint64_t len, uint64_t offset)
{
	return map(bo, va, len, offset, EDU_GPU_VM_BIND_MAP, EDU_GPU_VM_BIND_READONLY);
}

int edu_replace(const struct sgt_bo *bo, uint64_t va, uint64_t len, uint64_t offset)
{
	return map(bo, va, len, offset, EDU_GPU_VM_BIND_REPLACE, 0);
}

int edu_unmap(int drm, uint64_t va, uint64_t len)
{
	return vm_bind(drm, (struct drm_edu_gpu_vm_bind) {
		.op = EDU_GPU_VM_BIND_UNMAP,
		.va = va,
		.len = len,
	});
}

int edu_bind(const char *pci)
{
	return sgt_write_file(DRIVER "bind", pci);
}

int edu_unbind(const char *pci)
{
	return sgt_write_file(DRIVER "unbind", pci);
}

/* [book: copy] */
int edu_copy_begin(int drm, uint64_t src, uint64_t dst, uint32_t len)
{
	struct drm_edu_gpu_copy args = { .src = src, .dst = dst, .len = len };

	return drmIoctl(drm, DRM_IOCTL_EDU_GPU_COPY, &args) ? -errno : args.fence;
}

int edu_copy(int drm, uint64_t src, uint64_t dst, uint32_t len)
{
	int file = edu_copy_begin(drm, src, dst, len);
	int status;

	if (file < 0)
		return file;
	status = sgt_sync_file_wait(file);
	close(file);
	return status == 1 ? 0 : status;
}

/* [end] */

void edu_expect_copy(const struct sgt_bo *src, uint64_t from, uint64_t src_va,
		     const struct sgt_bo *dst, uint64_t to, uint64_t dst_va, uint32_t len)
{
	const char *have = (const char *)dst->map + to, *want = (const char *)src->map + from;

	sgt_must(edu_copy(dst->drm, src_va, dst_va, len));
	for (uint32_t i = 0; i < len; i++)
		igt_assert_f(have[i] == want[i], "byte %u of a copy from %#llx to %#llx\n", i,
			     (unsigned long long)src_va, (unsigned long long)dst_va);
}

void edu_expect_fault(int drm, uint64_t src, uint64_t dst, uint32_t len,
		      const volatile uint32_t *word)
{
	uint32_t before = *word;

	igt_assert_eq(edu_copy(drm, src, dst, len), -EFAULT);
	igt_assert_eq_u32(*word, before);
}

unsigned long edu_leaves(int drm, const char *size)
{
	char path[64], name[32], line[256];
	unsigned long count = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", drm);
	snprintf(name, sizeof(name), "edu-leaves-%s:\t%%lu", size);
	file = fopen(path, "re");
	igt_assert(file);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, name, &count) == 1;
	fclose(file);
	igt_assert(found);
	return count;
}

int edu_find_device(const char *pci, const char *state, struct sgt_device_row *row)
{
	struct sgt_device_row *rows = NULL;
	int count = sgt_must(sgt_read_devices(&rows));
	int err = -ENOENT;

	for (int i = 0; i < count; i++) {
		if (strcmp(rows[i].owner, pci) || strcmp(rows[i].state, state))
			continue;
		*row = rows[i];
		err = 0;
	}
	free(rows);
	return err;
}
