// SPDX-License-Identifier: GPL-2.0
// panfrost, by hand: heaps have a table for each chunk; page tables are written from views; the
// list of its shrinker is in its own object.

@@
@@
  struct panfrost_gem_object {
	struct drm_gem_sgt_object base;
-	struct sg_table *sgts;
+	/* Of a heap: the table of each 2 MiB, NULL until a fault; protected by the resv */
+	struct drm_sgt **chunks;
+	struct list_head madv_list;
	...
  };

@@
identifier obj;
@@
  struct drm_gem_object *panfrost_gem_create_object(...)
  {
	...
	INIT_LIST_HEAD(&obj->mappings.list);
+	INIT_LIST_HEAD(&obj->madv_list);
	...
  }

@@
identifier bo, i, n;
expression e;
@@
  void panfrost_gem_free_object(...)
  {
	...
-	list_del_init(&bo->base.madv_list);
+	list_del_init(&bo->madv_list);
	...
-	if (bo->sgts) {
+	if (bo->chunks) {
	int i;
	int n = e;
	...
	for (i = 0; i < n; i++)
-	{ ... }
+	{
+		if (bo->chunks[i])
+			drm_sgt_free(bo->chunks[i]);
+	}
-	kvfree(bo->sgts);
+	kvfree(bo->chunks);
	}
	...
  }

// What fdinfo shows
@@
identifier bo;
@@
  enum drm_gem_object_status panfrost_gem_status(...)
  {
	<+...
-	\(bo->base.base.import_attach\|drm_gem_is_imported(&bo->base.base)\) || bo->base.pages
+	bo->chunks || drm_gem_sgt_status(&bo->base)
	...+>
  }

@@
identifier bo;
@@
  size_t panfrost_gem_rss(...)
  {
	<+...
-	bo->base.pages
+	!bo->base.base.import_attach && drm_gem_sgt_status(&bo->base)
	...+>
  }

// The shrinker. As before, a heap is not purged. A purge can fail: the VA is kept until it has not.
@@
typedef bool;
iterator name list_for_each_entry;
identifier obj, bo, ret;
@@
  bool panfrost_gem_purge(struct drm_gem_object *obj)
  {
+	struct panfrost_gem_mapping *mapping;
	...
-	panfrost_gem_teardown_mappings_locked(bo);
-	\(drm_gem_shmem_purge\|drm_gem_shmem_purge_locked\)(&bo->base);
-	ret = true;
+	list_for_each_entry(mapping, &bo->mappings.list, node) {
+		if (mapping->active)
+			panfrost_mmu_unmap(mapping);
+	}
+	ret = !drm_gem_sgt_purge_locked(&bo->base);
+	if (ret)
+		panfrost_gem_teardown_mappings_locked(bo);
	...
  }

@@
@@
-panfrost_gem_shrinker_count(...) { ... }

@@
@@
-panfrost_gem_shrinker_scan(...) { ... }

@@
typedef bool;
iterator name list_for_each_entry, list_for_each_entry_safe;
@@
+static bool panfrost_gem_is_purgeable(struct panfrost_gem_object *bo)
+{
+	return !bo->is_heap && drm_gem_sgt_status(&bo->base) &&
+	       drm_gem_sgt_is_purgeable(&bo->base);
+}
+
+static unsigned long
+panfrost_gem_shrinker_count(struct shrinker *shrinker, struct shrink_control *sc)
+{
+	struct panfrost_device *pfdev = shrinker->private_data;
+	struct panfrost_gem_object *bo;
+	unsigned long count = 0;
+
+	if (!mutex_trylock(&pfdev->shrinker_lock))
+		return 0;
+
+	list_for_each_entry(bo, &pfdev->shrinker_list, madv_list) {
+		if (panfrost_gem_is_purgeable(bo))
+			count += bo->base.base.size >> PAGE_SHIFT;
+	}
+
+	mutex_unlock(&pfdev->shrinker_lock);
+	return count;
+}
+
+static unsigned long
+panfrost_gem_shrinker_scan(struct shrinker *shrinker, struct shrink_control *sc)
+{
+	struct panfrost_device *pfdev = shrinker->private_data;
+	struct panfrost_gem_object *bo;
+	struct panfrost_gem_object *tmp;
+	unsigned long freed = 0;
+
+	if (!mutex_trylock(&pfdev->shrinker_lock))
+		return SHRINK_STOP;
+
+	list_for_each_entry_safe(bo, tmp, &pfdev->shrinker_list, madv_list) {
+		if (freed >= sc->nr_to_scan)
+			break;
+		if (panfrost_gem_is_purgeable(bo) && panfrost_gem_purge(&bo->base.base)) {
+			freed += bo->base.base.size >> PAGE_SHIFT;
+			list_del_init(&bo->madv_list);
+		}
+	}
+
+	mutex_unlock(&pfdev->shrinker_lock);
+	if (freed > 0)
+		pr_info_ratelimited("Purging %lu bytes\n", freed << PAGE_SHIFT);
+	return freed;
+}
+
  int panfrost_gem_shrinker_init(...) { ... }

// What could not be purged is mapped for the GPU again.
@@
iterator name list_for_each_entry;
identifier bo, args;
@@
-	args->retained = \(drm_gem_shmem_madvise\|drm_gem_shmem_madvise_locked\)(&bo->base, args->madv);
+	args->retained = drm_gem_sgt_madvise_locked(&bo->base, args->madv);
+	if (args->retained && args->madv == PANFROST_MADV_WILLNEED && !bo->is_heap) {
+		struct panfrost_gem_mapping *mapping;
+
+		list_for_each_entry(mapping, &bo->mappings.list, node) {
+			if (!ret && !mapping->active)
+				ret = panfrost_mmu_map(mapping);
+		}
+	}

@@
identifier bo;
@@
(
- list_move_tail(&bo->base.madv_list,
+ list_move_tail(&bo->madv_list,
  ...)
|
- list_del_init(&bo->base.madv_list)
+ list_del_init(&bo->madv_list)
)

// Page tables. On 7.3, what could not be mapped whole is unmapped.
@fails@
identifier ret;
@@
  int mmu_map_sg(...)
  {
	...
	int ret;
	...
  }

@@
iterator name for_each_sgtable_dma_sg;
identifier pfdev, mmu, iova, prot, sgt, count, sgl, paddr, len;
@@
  int mmu_map_sg(struct panfrost_device *pfdev, struct panfrost_mmu *mmu, u64 iova, int prot,
-		 struct sg_table *sgt
+		 struct drm_sgt *sgt
		 )
  {
-	unsigned int count;
-	struct scatterlist *sgl;
+	struct drm_dma_iter iter;
+	struct drm_dma_seg seg;
+	struct drm_sgt_access access = {};
	...
-	for_each_sgtable_dma_sg(sgt, sgl, count)
+	ret = drm_sgt_access_begin(sgt, &access);
+	if (ret)
+		return ret;
+	ret = drm_dma_iter_init(&iter, drm_sgt_access_view(&access), 0, drm_sgt_size(sgt));
+	while (!ret && drm_dma_iter_next(&iter, &seg))
	{
-	unsigned long paddr = sg_dma_address(sgl);
-	size_t len = sg_dma_len(sgl);
+	unsigned long paddr = seg.addr;
+	size_t len = seg.len;
	...
	}
+	drm_sgt_access_end(&access);
	...
-	return 0;
+	return ret;
	...
  }

@depends on !fails@
@@
  int mmu_map_sg(...)
  {
	...
	struct drm_sgt_access access = {};
+	int ret;
	...
  }

@depends on fails@
@@
  int mmu_map_sg(...)
  {
	<...
+	drm_sgt_access_end(&access);
	mmu_unmap_range(...);
	...>
  }

@depends on fails@
identifier shmem, sgt, ret;
expression e1, e2, e3, e4;
@@
	ret = drm_gem_sgt_map(shmem);
	if (ret)
		return ret;
-	ret = mmu_map_sg(e1, e2, e3, e4, sgt);
+	ret = mmu_map_sg(e1, e2, e3, e4, shmem->sgt);

// The object keeps its mapping for the next try.
@depends on fails@
identifier sgt;
expression shmem;
@@
  int panfrost_mmu_map(...)
  {
	<...
(
-	struct sg_table *sgt;
|
-	drm_gem_shmem_put_pages_locked(shmem);
)
	...>
  }

@depends on !fails@
identifier mapping, shmem, sgt, ret;
expression e1, e2, e3, e4;
@@
  int panfrost_mmu_map(struct panfrost_gem_mapping *mapping)
  {
	...
-	struct sg_table *sgt;
	...
	ret = drm_gem_sgt_map(shmem);
	...
-	mmu_map_sg(e1, e2, e3, e4, sgt);
+	ret = mmu_map_sg(e1, e2, e3, e4, shmem->sgt);
+	if (ret)
+		return ret;
	mapping->active = true;
	...
  }

// The page fault of a heap
@heap@
expression e1, e2, e3, e4, prot;
@@
  int panfrost_mmu_map_fault_addr(...)
  {
	<+...
	mmu_map_sg(e1, e2, e3, prot, e4)
	...+>
  }

@@
@@
-panfrost_mmu_map_fault_addr(...) { ... }

@@
expression heap.prot;
@@
+/* The table of the chunk is kept, so that a second fault finds it. */
+static int panfrost_mmu_map_chunk(struct panfrost_device *pfdev, struct panfrost_mmu *mmu,
+				  struct panfrost_gem_object *bo, pgoff_t chunk, u64 addr)
+{
+	struct drm_gem_object *obj = &bo->base.base;
+	struct drm_sgt *sgt;
+	int ret;
+
+	dma_resv_assert_held(obj->resv);
+
+	if (!bo->chunks)
+		bo->chunks = kvcalloc(obj->size / SZ_2M, sizeof(*bo->chunks), GFP_KERNEL);
+	if (!bo->chunks)
+		return -ENOMEM;
+	if (bo->chunks[chunk])
+		return 0;
+
+	sgt = drm_sgt_create_shmem(drm_gem_sgt_default_device(obj->dev), obj->filp,
+				   (u64)chunk * SZ_2M, SZ_2M);
+	if (IS_ERR(sgt))
+		return PTR_ERR(sgt);
+
+	mapping_set_unevictable(obj->filp->f_mapping);
+	ret = drm_sgt_populate(sgt);
+	if (!ret)
+		ret = drm_sgt_map(sgt, DMA_BIDIRECTIONAL);
+	if (!ret)
+		ret = mmu_map_sg(pfdev, mmu, addr, prot, sgt);
+	if (ret) {
+		drm_sgt_free(sgt);
+		return ret;
+	}
+
+	bo->chunks[chunk] = sgt;
+	bo->heap_rss_size += SZ_2M;
+	return 0;
+}
+
+static int panfrost_mmu_map_fault_addr(struct panfrost_device *pfdev, int as, u64 addr)
+{
+	struct panfrost_gem_mapping *mapping;
+	struct panfrost_gem_object *bo;
+	pgoff_t chunk;
+	int ret;
+
+	mapping = addr_to_mapping(pfdev, as, addr);
+	if (!mapping)
+		return -ENOENT;
+
+	bo = mapping->obj;
+	if (!bo->is_heap) {
+		dev_WARN(bo->base.base.dev->dev, "matching BO is not heap type (GPU VA = %llx)",
+			 mapping->mmnode.start << PAGE_SHIFT);
+		ret = -EINVAL;
+		goto out;
+	}
+	WARN_ON(mapping->mmu->as != as);
+
+	/* Heaps are aligned to 2 MiB, and so is their size. */
+	addr &= ~((u64)SZ_2M - 1);
+	chunk = ((addr >> PAGE_SHIFT) - mapping->mmnode.start) / (SZ_2M / PAGE_SIZE);
+	dma_resv_lock(bo->base.base.resv, NULL);
+	ret = panfrost_mmu_map_chunk(pfdev, mapping->mmu, bo, chunk, addr);
+	if (!ret)
+		mapping->active = true;
+	dma_resv_unlock(bo->base.base.resv);
+	dev_dbg(bo->base.base.dev->dev, "page fault @ AS%d %llx: %d", as, addr, ret);
+out:
+	panfrost_gem_mapping_put(mapping);
+	return ret;
+}
+
  void panfrost_mmu_release_ctx(...) { ... }

// The dump of a job
@@
iterator name drm_sgt_access_scope;
@@
+/* DMA addresses: those of memory, unless an IOMMU is in front of the GPU */
+static int panfrost_core_dump_pages(struct drm_sgt *sgt, u64 **bomap)
+{
+	struct drm_dma_iter iter;
+	struct drm_dma_seg seg;
+	int ret;
+
+	drm_sgt_access_scope(view, sgt, ret) {
+		ret = drm_dma_iter_init(&iter, view, 0, drm_sgt_size(sgt));
+		while (!ret && drm_dma_iter_next(&iter, &seg)) {
+			while (seg.len) {
+				*(*bomap)++ = seg.addr;
+				seg.addr += PAGE_SIZE;
+				seg.len -= PAGE_SIZE;
+			}
+		}
+	}
+	return ret;
+}
+
  void panfrost_core_dump_registers(...) { ... }

@@
iterator name for_each_sgtable_page;
identifier bo, page_iter, bomap;
statement S;
@@
(
-	struct sg_page_iter page_iter;
|
-	if (!bo->base.sgt)
+	if (bo->is_heap)
	S
|
-	for_each_sgtable_page(bo->base.sgt, &page_iter, 0)
-		*bomap++ = page_to_phys(sg_page_iter_page(&page_iter));
+	if (panfrost_core_dump_pages(bo->base.sgt, &bomap))
+		dev_dbg(bo->base.base.dev->dev, "dump of pages after unbind\n");
)

// On 7.3: its own dma-buf, whose brackets sync what the GPU has mapped
@imports@
@@
  panfrost_gem_prime_import(...)
  {
	<...
-	drm_gem_prime_import
+	panfrost_gem_prime_import_sg_table
	(...)
	...>
  }

@depends on imports@
identifier drv;
@@
  struct drm_driver drv = {
-	.gem_prime_import = panfrost_gem_prime_import_sg_table,
  };

@@
identifier shmem;
expression dev, dir;
@@
(
-	if (shmem->sgt)
-		dma_sync_sgtable_for_cpu(dev, shmem->sgt, dir);
+	if (drm_sgt_sync_for_cpu(shmem->sgt, 0, shmem->base.size))
+		dev_dbg(dev, "CPU access to a buffer that is not mapped\n");
|
-	if (shmem->sgt)
-		dma_sync_sgtable_for_device(dev, shmem->sgt, dir);
+	if (drm_sgt_sync_for_device(shmem->sgt, 0, shmem->base.size))
+		dev_dbg(dev, "CPU access to a buffer that is not mapped\n");
)

// On 7.3: the ioctl that syncs
@@
iterator name for_each_sgtable_dma_sg;
identifier obj, type, shmem, dev, offset, size, sgt, sgl, count;
@@
  int panfrost_gem_sync(struct drm_gem_object *obj, u32 type, u32 offset, u32 size)
  {
	<...
(
-	const struct drm_device *dev = shmem->base.dev;
|
-	struct sg_table *sgt;
+	int ret;
|
-	struct scatterlist *sgl;
|
-	unsigned int count;
|
-	sgt = drm_gem_shmem_get_pages_sgt(shmem);
-	if (IS_ERR(sgt))
-		return PTR_ERR(sgt);
+	ret = drm_gem_sgt_map(shmem);
+	if (!ret)
+		ret = drm_sgt_sync_for_device(shmem->sgt, offset, size);
+	if (!ret && type == PANFROST_BO_SYNC_CPU_CACHE_FLUSH_AND_INVALIDATE)
+		ret = drm_sgt_sync_for_cpu(shmem->sgt, offset, size);
+	return ret;
|
-	for_each_sgtable_dma_sg(sgt, sgl, count) { ... }
-	return 0;
)
	...>
  }
