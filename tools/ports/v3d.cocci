// SPDX-License-Identifier: GPL-2.0
// v3d, by hand: its page table, and the kernel mappings of CPU jobs.

@@
identifier obj;
@@
  enum drm_gem_object_status v3d_gem_status(struct drm_gem_object *obj)
  {
-	...
+	return drm_gem_sgt_status(to_drm_gem_sgt_obj(obj));
  }

// Out of mmap offsets, the layer frees an object that has no place in the page table.
@@
identifier obj, v3d, bo;
@@
  void v3d_free_object(struct drm_gem_object *obj)
  {
	struct v3d_dev *v3d = ...;
	struct v3d_bo *bo = ...;
+
+	if (!drm_mm_node_allocated(&bo->node)) {
+		drm_gem_sgt_free(&bo->base);
+		return;
+	}
	...
  }

// Without a device, no PTE is written: nothing will read it.
@@
iterator name drm_sgt_access_scope, for_each_sgtable_dma_page;
identifier bo, obj, page_prot, dma_iter;
statement S;
@@
  void v3d_mmu_insert_ptes(struct v3d_bo *bo)
  {
	...
	u32 page_prot = V3D_PTE_WRITEABLE | V3D_PTE_VALID;
-	struct sg_dma_page_iter dma_iter;
-	for_each_sgtable_dma_page(obj->sgt, &dma_iter, 0) S
+	struct drm_dma_iter iter;
+	struct drm_dma_seg seg;
+	int ret;
+
+	drm_sgt_access_scope(view, obj->sgt, ret) {
+		ret = drm_dma_iter_init(&iter, view, 0, obj->base.size);
+		while (!ret && drm_dma_iter_next(&iter, &seg)) {
+			u32 pte = seg.addr >> V3D_MMU_PAGE_SHIFT;
+			u32 end = page + (seg.len >> V3D_MMU_PAGE_SHIFT);
+
+			BUG_ON(pte + (end - page) >= BIT(24));
+			while (page < end)
+				v3d->pt[page++] = page_prot | pte++;
+		}
+	}
+	if (ret) {
+		drm_dbg(&v3d->drm, "no page table entries: %d\n", ret);
+		return;
+	}
	...
  }

// The same where pages of 64 KiB and 1 MiB are written
@@
iterator name drm_sgt_access_scope, for_each_sgtable_dma_sg;
typedef dma_addr_t;
identifier bo, obj, sgl, count, dma_addr, len, v3d;
expression e;
@@
  void v3d_mmu_insert_ptes(struct v3d_bo *bo)
  {
	...
	struct v3d_dev *v3d = e;
	...
-	struct scatterlist *sgl;
-	unsigned int count;
-	for_each_sgtable_dma_sg(obj->sgt, sgl, count)
+	struct drm_dma_iter iter;
+	struct drm_dma_seg seg;
+	int ret;
+
+	drm_sgt_access_scope(view, obj->sgt, ret) {
+	ret = drm_dma_iter_init(&iter, view, 0, obj->base.size);
+	while (!ret && drm_dma_iter_next(&iter, &seg))
	{
-	dma_addr_t dma_addr = sg_dma_address(sgl);
+	dma_addr_t dma_addr = seg.addr;
	...
-	unsigned int len = sg_dma_len(sgl);
+	u64 len = seg.len;
	...
	}
+	}
+	if (ret) {
+		drm_dbg(&v3d->drm, "no page table entries: %d\n", ret);
+		return;
+	}
	...
  }

@@
identifier bo, obj;
@@
  void v3d_get_bo_vaddr(struct v3d_bo *bo)
  {
-	struct drm_gem_sgt_object *obj = &bo->base;
-
-	bo->vaddr = vmap(...);
+	struct iosys_map map;
+
+	bo->vaddr = drm_sgt_vmap(bo->base.sgt, &map) ? NULL : map.vaddr;
  }

@@
identifier bo;
@@
  void v3d_put_bo_vaddr(struct v3d_bo *bo)
  {
-	vunmap(bo->vaddr);
+	struct iosys_map map = IOSYS_MAP_INIT_VADDR(bo->vaddr);
+
+	drm_sgt_vunmap(bo->base.sgt, &map);
	bo->vaddr = NULL;
  }
