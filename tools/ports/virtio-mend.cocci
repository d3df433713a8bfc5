// SPDX-License-Identifier: GPL-2.0
// Faults of virtio_gpu's unbind that have nothing to do with the helper. With them, tests report
// what else an unbind leaves.

// While an old device lives, there is a cache for each of the two.
@@
identifier vgdev;
expression list e;
@@
  int virtio_gpu_alloc_vbufs(struct virtio_gpu_device *vgdev)
  {
+	char name[32];
+
+	snprintf(name, sizeof(name), "virtio-gpu-vbufs-%d", vgdev->ddev->primary->index);
	vgdev->vbufs = kmem_cache_create(
-		"virtio-gpu-vbufs"
+		name
		, e);
	...
  }

// A command that is not queued keeps its buffers otherwise.
@@
identifier vgdev, vbuf, fence, idx;
@@
  if (\(!drm_dev_enter(vgdev->ddev, &idx)\|vgdev->vqs_released\)) {
	if (fence && vbuf->objs)
		virtio_gpu_array_unlock_resv(vbuf->objs);
+	virtio_gpu_array_put_free(vbuf->objs);
	...
  }
