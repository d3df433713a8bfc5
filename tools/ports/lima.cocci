// SPDX-License-Identifier: GPL-2.0
// lima, by hand: heaps that grow have a table for each part; page tables are written from views.

@@
@@
  struct lima_bo {
	...
	size_t heap_size;
+	/* Tables of the parts: a heap starts with a page, and doubles up to 4 GiB. */
+	struct drm_sgt *heap[33 - PAGE_SHIFT];
+	unsigned int nr_heap;
  };

@@
identifier bo;
@@
  void lima_gem_free_object(...)
  {
	...
+	while (bo->nr_heap)
+		drm_sgt_free(bo->heap[--bo->nr_heap]);
	drm_gem_sgt_free(&bo->base);
  }

// With the function, Coccinelle removes its declaration.
@@
@@
-int lima_heap_alloc(...) { ... }

@@
@@
+int lima_heap_alloc(struct lima_bo *bo, struct lima_vm *vm)
+{
+	struct drm_gem_object *obj = &bo->base.base;
+	size_t old_size = bo->heap_size;
+	size_t new_size = old_size ? old_size * 2 : lima_heap_init_nr_pages << PAGE_SHIFT;
+	struct drm_sgt *part;
+	int ret;
+
+	if (old_size >= obj->size || bo->nr_heap == ARRAY_SIZE(bo->heap))
+		return -ENOSPC;
+
+	new_size = min(new_size, obj->size);
+	part = drm_sgt_create_shmem(drm_gem_sgt_default_device(obj->dev), obj->filp, old_size,
+				    new_size - old_size);
+	if (IS_ERR(part))
+		return PTR_ERR(part);
+
+	mapping_set_unevictable(obj->filp->f_mapping);
+	ret = drm_sgt_populate(part);
+	if (!ret)
+		ret = drm_sgt_map(part, DMA_BIDIRECTIONAL);
+	if (ret)
+		goto err_free;
+
+	bo->heap[bo->nr_heap++] = part;
+	if (vm) {
+		ret = lima_vm_map_bo(vm, bo, old_size >> PAGE_SHIFT);
+		if (ret)
+			goto err_remove;
+	}
+	bo->heap_size = new_size;
+	return 0;
+
+err_remove:
+	bo->nr_heap--;
+err_free:
+	drm_sgt_free(part);
+	return ret;
+}
+
  int lima_gem_create_handle(...) { ... }

@@
@@
+int lima_heap_alloc(struct lima_bo *bo, struct lima_vm *vm);
  struct drm_gem_object *lima_gem_create_object(struct drm_device *dev, size_t size);

// Page tables. *offset is how far they are written, also when it fails.
@@
iterator name drm_sgt_access_scope, for_each_sgtable_dma_page;
identifier sg_iter;
@@
+static int lima_vm_map_table(struct lima_vm *vm, struct drm_sgt *sgt, u32 base, int *offset)
+{
+	struct drm_dma_iter iter;
+	struct drm_dma_seg seg;
+	int err;
+
+	drm_sgt_access_scope(view, sgt, err) {
+		err = drm_dma_iter_init(&iter, view, 0, drm_sgt_size(sgt));
+		while (!err && drm_dma_iter_next(&iter, &seg)) {
+			while (!err && seg.len) {
+				err = lima_vm_map_page(vm, seg.addr, base + *offset);
+				if (!err)
+					*offset += PAGE_SIZE;
+				seg.addr += PAGE_SIZE;
+				seg.len -= PAGE_SIZE;
+			}
+		}
+	}
+	return err;
+}
+
+/* A heap from the part on that begins at pageoff, or a whole buffer */
+static int lima_vm_map_tables(struct lima_vm *vm, struct lima_bo *bo, int pageoff, u32 base,
+			      int *offset)
+{
+	unsigned int i;
+	int err = 0;
+
+	if (!bo->nr_heap)
+		err = lima_vm_map_table(vm, bo->base.sgt, base, offset);
+	for (i = 0; !err && i < bo->nr_heap; i++) {
+		if (pageoff)
+			pageoff -= drm_sgt_size(bo->heap[i]) >> PAGE_SHIFT;
+		else
+			err = lima_vm_map_table(vm, bo->heap[i], base, offset);
+	}
+	return err;
+}
+
  int lima_vm_bo_add(...)
  {
	...
-	struct sg_dma_page_iter sg_iter;
	...
  }

@@
iterator name for_each_sgtable_dma_page;
identifier vm, bo, bo_va, sg_iter, offset, err, label;
@@
  int lima_vm_bo_add(struct lima_vm *vm, struct lima_bo *bo, bool create)
  {
	<+...
-	for_each_sgtable_dma_page(bo->base.sgt, &sg_iter, 0) {
-		err = lima_vm_map_page(vm, sg_page_iter_dma_address(&sg_iter),
-				       bo_va->node.start + offset);
-		if (err)
-			goto label;
-		offset += PAGE_SIZE;
-	}
+	err = lima_vm_map_tables(vm, bo, 0, bo_va->node.start, &offset);
+	if (err)
+		goto label;
	...+>
  }

@@
iterator name for_each_sgtable_dma_page;
identifier vm, bo, pageoff, sg_iter, offset, err, label;
@@
  int lima_vm_map_bo(struct lima_vm *vm, struct lima_bo *bo, int pageoff)
  {
	...
-	struct sg_dma_page_iter sg_iter;
	...
-	for_each_sgtable_dma_page(bo->base.sgt, &sg_iter, pageoff) {
-		err = lima_vm_map_page(vm, sg_page_iter_dma_address(&sg_iter), base + offset);
-		if (err)
-			goto label;
-		offset += PAGE_SIZE;
-	}
+	err = lima_vm_map_tables(vm, bo, pageoff, base, &offset);
+	if (err)
+		goto label;
	...
  }

// The dump of a task that failed: what the GPU wrote to its heap
@@
@@
+static int lima_sched_copy_heap(struct lima_bo *bo, void *to)
+{
+	struct iosys_map map;
+	unsigned int i;
+	u64 size;
+	int ret;
+
+	for (i = 0; i < bo->nr_heap; i++, to += size) {
+		size = drm_sgt_size(bo->heap[i]);
+		ret = drm_sgt_sync_for_cpu(bo->heap[i], 0, size) ?:
+		      drm_sgt_vmap(bo->heap[i], &map);
+		if (ret)
+			return ret;
+		memcpy(to, map.vaddr, size);
+		drm_sgt_vunmap(bo->heap[i], &map);
+	}
+	return 0;
+}
+
  void lima_sched_build_error_task_list(...) { ... }

@@
identifier data, chunk;
expression bo;
statement S;
@@
-	data = vmap(bo->base.pages, ...);
-	if (!data)
+	ret = lima_sched_copy_heap(bo, chunk + 1);
+	if (ret)
		S
-	memcpy(chunk + 1, data, chunk->size);
-	vunmap(data);

@@
identifier bo, data;
expression e;
@@
	struct lima_bo *bo = e;
-	void *data;
