// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sgt_bus.h"

#define PCI_DEVICES	"/sys/bus/pci/devices/"
#define MMIO_DEVICES	"/sys/bus/platform/devices/"
#define PCI_DRIVER	"/sys/bus/pci/drivers/virtio-pci/"
#define VIRTIO_DRIVERS	"/sys/bus/virtio/drivers/"

const char * const sgt_route_name[SGT_ROUTES] = {
	[SGT_ROUTE_VIRTIO] = "virtio",
	[SGT_ROUTE_PCI] = "pci",
	[SGT_ROUTE_REMOVE] = "remove",
};

int sgt_write_file(const char *path, const char *text)
{
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The name of the target of a link in sysfs */
static int link_name(const char *path, char *name, size_t size)
{
	char target[PATH_MAX];
	ssize_t len;

	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	if (snprintf(name, size, "%s", basename(target)) >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}

static const char *devices(const struct sgt_gpu *gpu)
{
	return gpu->on_pci ? PCI_DEVICES : MMIO_DEVICES;
}

static int find_virtio(struct sgt_gpu *gpu)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int err = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", devices(gpu), gpu->pci);
	dir = opendir(path);
	if (!dir)
		return -errno;

	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "virtio", strlen("virtio")))
			continue;
		snprintf(gpu->virtio, sizeof(gpu->virtio), "%.63s", entry->d_name);
		err = 0;
	}
	closedir(dir);
	return err;
}

int sgt_gpu_find(struct sgt_gpu *gpu, int drm_fd)
{
	char path[PATH_MAX];
	struct stat st;
	int err;

	memset(gpu, 0, sizeof(*gpu));
	if (fstat(drm_fd, &st))
		return -errno;

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device",
		 major(st.st_rdev), minor(st.st_rdev));
	err = link_name(path, gpu->pci, sizeof(gpu->pci));
	if (err)
		return err;
	snprintf(path, sizeof(path), PCI_DEVICES "%s", gpu->pci);
	gpu->on_pci = !access(path, F_OK);
	err = find_virtio(gpu);
	if (err)
		return err;

	snprintf(path, sizeof(path), "/sys/bus/virtio/devices/%s/driver", gpu->virtio);
	return link_name(path, gpu->driver, sizeof(gpu->driver));
}

unsigned int sgt_gpu_routes(const struct sgt_gpu *gpu)
{
	return gpu->on_pci ? SGT_ROUTES : SGT_ROUTE_VIRTIO + 1;
}

static int write_driver(const struct sgt_gpu *gpu, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), VIRTIO_DRIVERS "%s/%s", gpu->driver, file);
	return sgt_write_file(path, gpu->virtio);
}

int sgt_unbind(const struct sgt_gpu *gpu, enum sgt_route route)
{
	char path[PATH_MAX];

	switch (route) {
	case SGT_ROUTE_VIRTIO:
		return write_driver(gpu, "unbind");
	case SGT_ROUTE_PCI:
		return sgt_write_file(PCI_DRIVER "unbind", gpu->pci);
	case SGT_ROUTE_REMOVE:
		snprintf(path, sizeof(path), PCI_DEVICES "%s/remove", gpu->pci);
		return sgt_write_file(path, "1");
	default:
		return -EINVAL;
	}
}

int sgt_rebind(struct sgt_gpu *gpu, enum sgt_route route)
{
	int err;

	switch (route) {
	case SGT_ROUTE_VIRTIO:
		return write_driver(gpu, "bind");
	case SGT_ROUTE_PCI:
		err = sgt_write_file(PCI_DRIVER "bind", gpu->pci);
		break;
	case SGT_ROUTE_REMOVE:
		err = sgt_write_file("/sys/bus/pci/rescan", "1");
		break;
	default:
		return -EINVAL;
	}

	/* A bind of virtio-pci creates a new virtio device. */
	return err ?: find_virtio(gpu);
}

static bool is_ours(const char *path)
{
	return strstr(path, "/dev/dri/") || strstr(path, "dmabuf") ||
	       strstr(path, "sync_file");
}

static void close_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		char target[PATH_MAX];
		ssize_t len;

		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (is_ours(target))
			close(atoi(entry->d_name));
	}
	closedir(dir);
}

static bool unmap_one(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!maps)
		return false;
	while (!found && getline(&line, &size, maps) > 0) {
		found = is_ours(line) &&
			sscanf(line, "%lx-%lx", &start, &end) == 2;
	}
	free(line);
	fclose(maps);

	return found && !munmap((void *)start, end - start);
}

void sgt_let_go(void)
{
	close_files();
	while (unmap_one())
		;
}

int sgt_gpu_recover(struct sgt_gpu *gpu)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), PCI_DEVICES "%s", gpu->pci);
	if (gpu->on_pci && access(path, F_OK))
		return sgt_rebind(gpu, SGT_ROUTE_REMOVE);

	snprintf(path, sizeof(path), PCI_DEVICES "%s/driver", gpu->pci);
	if (gpu->on_pci && access(path, F_OK))
		return sgt_rebind(gpu, SGT_ROUTE_PCI);

	err = find_virtio(gpu);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/sys/bus/virtio/devices/%s/driver", gpu->virtio);
	if (access(path, F_OK))
		return sgt_rebind(gpu, SGT_ROUTE_VIRTIO);
	return 0;
}

bool sgt_gpu_is_sgt(const struct sgt_gpu *gpu)
{
	return !strcmp(gpu->driver, "virtio_gpu_sgt");
}

int sgt_module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int sgt_module_load(const char *name)
{
	char command[128];
	int status;

	snprintf(command, sizeof(command), "modprobe %s", name);
	status = system(command);
	return status == 0 ? 0 : -ENOEXEC;
}

int sgt_module_users(const char *name)
{
	char path[PATH_MAX];
	int users = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fscanf(file, "%d", &users) != 1)
		users = -EBADMSG;
	fclose(file);
	return users;
}

long sgt_swiotlb_used(void)
{
	FILE *file = fopen("/sys/kernel/debug/swiotlb/io_tlb_used", "re");
	long used;

	if (!file)
		return -errno;
	if (fscanf(file, "%ld", &used) != 1)
		used = -EBADMSG;
	fclose(file);
	return used;
}
