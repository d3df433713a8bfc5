// SPDX-License-Identifier: GPL-2.0
// virtio_gpu, by hand: its DMA device, and where it reads addresses.

// The bound device is the virtio device; without a DMA API, the host takes physical addresses.
@@
identifier probe, vdev, dev, ret;
@@
+static int virtio_gpu_init_dma(struct virtio_device *vdev, struct drm_device *dev)
+{
+	struct drm_sgt_device *sdev;
+
+	if (virtio_gpu_use_dma_api(vdev))
+		return devm_drm_gem_sgt_init(dev, &vdev->dev, vdev->dev.parent);
+
+	sdev = devm_drm_sgt_device_create_phys(&vdev->dev, vdev->dev.parent);
+	if (IS_ERR(sdev))
+		return PTR_ERR(sdev);
+	return drmm_gem_sgt_init(dev, sdev);
+}
+
  static int probe(struct virtio_device *vdev)
  {
	<+...
-	ret = devm_drm_gem_sgt_init(dev, dev->dev, dev->dev);
+	ret = virtio_gpu_init_dma(vdev, dev);
	...+>
  }

// The entries for the host, from a view
@@
iterator name drm_sgt_access_scope;
identifier fn, vgdev, bo, ents, nents, use_dma_api, sg, pages, si, ret;
@@
+static int virtio_gpu_list_ents(struct drm_sgt *sgt, struct virtio_gpu_mem_entry *ents,
+				unsigned int *nents)
+{
+	struct drm_dma_iter iter;
+	struct drm_dma_seg seg;
+	unsigned int n = 0;
+	int ret;
+
+	drm_sgt_access_scope(view, sgt, ret) {
+		ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
+		while (!ret && drm_dma_iter_next(&iter, &seg)) {
+			while (seg.len) {
+				u32 len = min_t(u64, seg.len, SZ_2G);
+
+				ents[n].addr = cpu_to_le64(seg.addr);
+				ents[n].length = cpu_to_le32(len);
+				ents[n++].padding = 0;
+				seg.addr += len;
+				seg.len -= len;
+			}
+		}
+	}
+	*nents = n;
+	return ret;
+}
+
  static int fn(struct virtio_gpu_device *vgdev, struct virtio_gpu_object *bo,
		struct virtio_gpu_mem_entry **ents, unsigned int *nents)
  {
-	bool use_dma_api = virtio_gpu_use_dma_api(vgdev->vdev);
-	struct scatterlist *sg;
-	struct sg_table *pages;
	int ret;
-	int si;
+	struct drm_sgt_info info;
	...
-	if (use_dma_api) { ... } else { ... }
-	*ents = \(kvmalloc_array(...)\|kvmalloc_objs(...)\);
+	drm_sgt_get_info(bo->base.sgt, &info);
+	*ents = kvmalloc_array(info.dma_segs + (info.size >> 31),
+			       sizeof(struct virtio_gpu_mem_entry), GFP_KERNEL);
	if (!(*ents)) { ... }
-	if (use_dma_api) { ... } else { ... }
-	return 0;
+	ret = virtio_gpu_list_ents(bo->base.sgt, *ents, nents);
+	if (ret)
+		kvfree(*ents);
+	return ret;
  }

// The whole buffer, as before. At unbind the command is not sent either.
@@
identifier vgdev, bo, use_dma_api;
@@
-	bool use_dma_api = virtio_gpu_use_dma_api(vgdev->vdev);
	...
-	if (virtio_gpu_is_shmem(bo) && use_dma_api)
-		dma_sync_sgtable_for_device(vgdev->vdev->dev.parent, bo->base.sgt,
-					    DMA_TO_DEVICE);
+	if (virtio_gpu_is_shmem(bo) &&
+	    drm_sgt_sync_for_device(bo->base.sgt, 0, bo->base.base.size))
+		drm_dbg(vgdev->ddev, "transfer after unbind\n");

// From 7.2 on, transfers from the host are synced as well.
@@
identifier bo, vgdev;
@@
(
-	dma_sync_sgtable_for_device(vgdev->vdev->dev.parent, bo->base.sgt, DMA_TO_DEVICE);
+	if (drm_sgt_sync_for_device(bo->base.sgt, 0, bo->base.base.size))
+		drm_dbg(vgdev->ddev, "transfer after unbind\n");
|
-	dma_sync_sgtable_for_cpu(vgdev->vdev->dev.parent, bo->base.sgt, DMA_FROM_DEVICE);
+	if (drm_sgt_sync_for_cpu(bo->base.sgt, 0, bo->base.base.size))
+		drm_dbg(vgdev->ddev, "transfer after unbind\n");
)

// The panic screen, over buffers that have a kernel mapping: a table has no array of pages.
@@
identifier bo, sb, shmem;
@@
  int virtio_drm_get_scanout_buffer(struct drm_plane *plane, struct drm_scanout_buffer *sb)
  {
	...
-	if (bo->base.vaddr) {
-		iosys_map_set_vaddr(&sb->map[0], bo->base.vaddr);
-	} else { ... }
+	if (!bo->base.vaddr)
+		return -ENODEV;
+	iosys_map_set_vaddr(&sb->map[0], bo->base.vaddr);
	...
  }
