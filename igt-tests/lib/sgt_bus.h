/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The GPU in the driver core: a PCI device, or a platform device for virtio-mmio;
 * its child, a virtio device; and the driver of the virtio device.
 */
#ifndef SGT_BUS_H
#define SGT_BUS_H

#include <stdbool.h>

enum sgt_route {
	SGT_ROUTE_VIRTIO,	/* unbind the GPU driver from the virtio device */
	SGT_ROUTE_PCI,		/* unbind virtio-pci from the PCI device */
	SGT_ROUTE_REMOVE,	/* remove the PCI device */
	SGT_ROUTES
};

extern const char * const sgt_route_name[SGT_ROUTES];

struct sgt_gpu {
	char pci[64];		/* 0000:00:03.0; LNRO0005:03 on the platform bus */
	bool on_pci;
	char virtio[64];	/* virtio1 */
	char driver[64];	/* of the virtio device: virtio_gpu_sgt */
};

/* All return 0 or a negative errno. */
int sgt_gpu_find(struct sgt_gpu *gpu, int drm_fd);

/* The number of routes of the device, which are the first ones */
unsigned int sgt_gpu_routes(const struct sgt_gpu *gpu);

int sgt_unbind(const struct sgt_gpu *gpu, enum sgt_route route);

/* Updates the name of the virtio device. */
int sgt_rebind(struct sgt_gpu *gpu, enum sgt_route route);

/*
 * Cleans up after a failed test: closes and unmaps its files of DRM devices, and
 * binds the drivers again.
 */
void sgt_let_go(void);
int sgt_gpu_recover(struct sgt_gpu *gpu);

/* Whether the bound driver uses the helpers, which have tables in debugfs */
bool sgt_gpu_is_sgt(const struct sgt_gpu *gpu);

/* -EWOULDBLOCK while the module is in use */
int sgt_module_unload(const char *name);
int sgt_module_load(const char *name);
int sgt_module_users(const char *name);

/* Bounce buffer slots in use, or a negative errno */
long sgt_swiotlb_used(void);

int sgt_write_file(const char *path, const char *text);

/* Whether buffers that are created from now on have huge pages: Y or N */
#define SGT_HUGE_PAGES	"/sys/module/drm_gem_sgt/parameters/huge_pages"

#endif
