// SPDX-License-Identifier: GPL-2.0
// From drm_gem_shmem_helper to drm_gem_sgt: what is the same in each driver.

// With what the header of the helper includes; some files then include it twice.
@@
@@
(
- #include <drm/drm_gem_shmem_helper.h>
+ #include <drm/drm_file.h>
+ #include <drm/drm_gem_sgt.h>
+ #include <drm/drm_ioctl.h>
|
- #include <drm/drm_fbdev_shmem.h>
+ #include <drm/drm_fbdev_ttm.h>
)

@@
@@
- struct drm_gem_shmem_object
+ struct drm_gem_sgt_object

// Functions that only have another name
@@
@@
(
- to_drm_gem_shmem_obj
+ to_drm_gem_sgt_obj
|
- drm_gem_shmem_free
+ drm_gem_sgt_free
|
- drm_gem_shmem_pin_locked
+ drm_gem_sgt_pin_locked
|
- drm_gem_shmem_unpin_locked
+ drm_gem_sgt_unpin_locked
|
- drm_gem_shmem_vmap
+ drm_gem_sgt_vmap_locked
|
- drm_gem_shmem_vmap_locked
+ drm_gem_sgt_vmap_locked
|
- drm_gem_shmem_vunmap
+ drm_gem_sgt_vunmap_locked
|
- drm_gem_shmem_vunmap_locked
+ drm_gem_sgt_vunmap_locked
|
- drm_gem_shmem_mmap
+ drm_gem_sgt_mmap
|
- drm_gem_shmem_vm_ops
+ drm_gem_sgt_vm_ops
|
- drm_gem_shmem_object_print_info
+ drm_gem_sgt_object_print_info
|
- drm_gem_shmem_object_pin
+ drm_gem_sgt_object_pin
|
- drm_gem_shmem_object_unpin
+ drm_gem_sgt_object_unpin
|
- drm_gem_shmem_object_get_sg_table
+ drm_gem_sgt_object_get_sg_table
|
- drm_gem_shmem_object_vmap
+ drm_gem_sgt_object_vmap
|
- drm_gem_shmem_object_vunmap
+ drm_gem_sgt_object_vunmap
|
- drm_gem_shmem_object_mmap
+ drm_gem_sgt_object_mmap
|
- DRM_GEM_SHMEM_DRIVER_OPS
+ DRM_GEM_SGT_DRIVER_OPS
|
- DRM_FBDEV_SHMEM_DRIVER_OPS
+ DRM_FBDEV_TTM_DRIVER_OPS
|
- drm_fbdev_shmem_setup
+ drm_fbdev_ttm_setup
)

@@
expression dev, size;
@@
- drm_gem_shmem_create(dev, size)
+ drm_gem_sgt_create(dev, drm_gem_sgt_default_device(dev), size)

// The pages and their mapping: an errno instead of a table
@@
identifier ret, sgt, label;
expression bo;
@@
- struct sg_table *sgt = drm_gem_shmem_get_pages_sgt(bo);
- if (IS_ERR(sgt)) {
-	ret = PTR_ERR(sgt);
-	goto label;
- }
+ ret = drm_gem_sgt_map(bo);
+ if (ret)
+	goto label;

@@
identifier ret =~ "^(ret|err)$";
identifier sgt;
expression bo;
@@
  int ret;
  ...
- sgt = drm_gem_shmem_get_pages_sgt(bo);
- if (\(IS_ERR(sgt)\|WARN_ON(IS_ERR(sgt))\))
-	return PTR_ERR(sgt);
+ ret = drm_gem_sgt_map(bo);
+ if (ret)
+	return ret;

@@
identifier sgt;
expression bo;
@@
  struct sg_table *sgt;
+ int ret;
  ...
- sgt = drm_gem_shmem_get_pages_sgt(bo);
- if (\(IS_ERR(sgt)\|WARN_ON(IS_ERR(sgt))\))
-	return PTR_ERR(sgt);
+ ret = drm_gem_sgt_map(bo);
+ if (ret)
+	return ret;

@@
identifier sgt;
@@
- struct sg_table *sgt;
  ... when != sgt

// All pages are marked dirty.
@@
expression bo;
@@
(
- bo->pages_mark_dirty_on_put = true;
|
- bo.pages_mark_dirty_on_put = true;
)

// Objects are exported by the layer, unless the driver has a callback of its own.
@exports@
identifier funcs;
expression e;
@@
  struct drm_gem_object_funcs funcs = {
	.export = e,
  };

@depends on !exports@
identifier funcs;
@@
  struct drm_gem_object_funcs funcs = {
+	.export = drm_gem_sgt_prime_export,
	.print_info = drm_gem_sgt_object_print_info,
  };

// Imports: of the dma-buf itself, which the layer attaches and maps
@@
identifier drv;
@@
  struct drm_driver drv = {
-	.gem_prime_import_sg_table = drm_gem_shmem_prime_import_sg_table,
+	.gem_prime_import = drm_gem_sgt_driver_prime_import,
  };

@import@
identifier fn, dev, attach, sgt;
expression obj;
@@
  struct drm_gem_object *fn(struct drm_device *dev,
-	struct dma_buf_attachment *attach, struct sg_table *sgt
+	struct dma_buf *dma_buf
	)
  {
	...
-	obj = drm_gem_shmem_prime_import_sg_table(dev, attach, sgt);
+	obj = drm_gem_sgt_driver_prime_import(dev, dma_buf);
-	if (IS_ERR(obj))
-		return \(obj\|ERR_CAST(obj)\);
+	if (IS_ERR(obj) || !drm_gem_sgt_is_import(to_drm_gem_sgt_obj(obj)))
+		return obj;
	...
  }

@@
identifier import.fn, dev, attach, sgt;
@@
  struct drm_gem_object *fn(struct drm_device *dev,
-	struct dma_buf_attachment *attach, struct sg_table *sgt
+	struct dma_buf *dma_buf
	);

@@
identifier drv, import.fn;
@@
  struct drm_driver drv = {
-	.gem_prime_import_sg_table = fn,
+	.gem_prime_import = fn,
  };

// The default device, when the DMA mask is known and before there is a buffer
@@
identifier priv, drm, ret, label;
expression flags;
@@
+ ret = devm_drm_gem_sgt_init(&priv->drm, priv->drm.dev, priv->drm.dev);
+ if (ret)
+	goto label;
  ret = drm_dev_register(&priv->drm, flags);
  if (ret)
	goto label;

@@
identifier drm, ret, label;
expression flags;
@@
+ ret = devm_drm_gem_sgt_init(drm, drm->dev, drm->dev);
+ if (ret)
+	goto label;
  ret = drm_dev_register(drm, flags);
  if (\(ret\|ret < 0\))
	goto label;
