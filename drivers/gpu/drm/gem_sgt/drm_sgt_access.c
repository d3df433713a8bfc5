// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>
#include <linux/srcu.h>

#include "drm_sgt_table.h"

/**
 * DOC: access sections
 *
 * A DMA address is valid as long as its mapping exists, and an unbind can end that
 * at any moment. So addresses are read inside an access section, which can be entered
 * only while the table is mapped. While a section is open, an unbind waits, and so does
 * drm_sgt_unmap_wait(); drm_sgt_unmap() returns -EBUSY.
 *
 * Sections of different devices are independent, unlike those of drm_dev_enter(): a
 * slow one does not delay the unbind of another device. A section may sleep and
 * allocate, and should be short. It must not wait for a fence, for the device or for
 * ring space: these may in turn wait for the unbind, which waits for the section.
 *
 * Nor may a section touch user memory, by copy_from_user(), get_user() or pinning
 * pages: with userfaultfd, a process decides when such a fault ends, and so when the
 * unbind ends. Copy before the section, or after it. Lockdep reports a section that
 * takes the mmap lock; might_fault() tells it where that can happen.
 *
 * What is written with the addresses (a page table, a command) outlives the
 * section. The driver must stop the device from using it before the mapping ends,
 * at unbind as well as before an unmap.
 *
 * For example, as in the tests:
 *
 * .. code-block:: c
 *
 *	static int count_segments(struct drm_sgt *sgt, unsigned int *count)
 *	{
 *		struct drm_dma_iter iter;
 *		struct drm_dma_seg seg;
 *		int ret;
 *
 *		drm_sgt_access_scope(view, sgt, ret) {
 *			ret = drm_dma_iter_init(&iter, view, 0, drm_dma_view_size(view));
 *			if (ret)
 *				break;
 *			while (drm_dma_iter_next(&iter, &seg))
 *				(*count)++;
 *		}
 *		return ret;
 *	}
 */

/* A bug of the caller. A function of its own, so that a test can stub the warning. */
void drm_sgt_access_misused(void)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_access_misused);

	WARN_ONCE(1, "access section begun twice\n");
}

static void drm_sgt_access_leave(struct drm_sgt *sgt)
{
	/*
	 * Orders the section's reads before it; pairs with the cmpxchg of an unmap. Orders
	 * it before the read of @closing, too; pairs with drm_sgt_unmap_wait().
	 */
	if (!atomic_dec_return(&sgt->readers) && atomic_read(&sgt->closing))
		wake_up_all(&sgt->sdev->unmapped);
}

/**
 * drm_sgt_access_begin() - enter an access section
 * @sgt: the table
 * @access: the section, on the stack of the caller; zeroed, or ended
 *
 * Prefer drm_sgt_access_scope(). Sections nest, each with an @access of its own,
 * and end in the task that began them.
 *
 * Context: Process context. The caller keeps @sgt from being freed.
 * Return:
 * * %0       - inside; leave with drm_sgt_access_end()
 * * %-ENODEV - the device is no longer bound
 * * %-EINVAL - the table is not mapped, or drm_sgt_unmap_wait() is about to unmap it,
 *   or its exporter has moved the memory
 * * %-EBUSY  - @access is open already, with a warning; it stays as it is
 */
int drm_sgt_access_begin(struct drm_sgt *sgt, struct drm_sgt_access *access)
{
	struct drm_sgt_device *sdev = sgt->sdev;
	int idx, ret = 0;

	/* One end would leave one of two sections open: an unbind would wait for ever. */
	if (unlikely(access->sgt)) {
		drm_sgt_access_misused();
		return -EBUSY;
	}

	idx = srcu_read_lock(&sdev->srcu);
	/* A section that a shutdown does not wait for began late enough to see the mark. */
	if (drm_sgt_device_is_gone(sdev))
		ret = -ENODEV;
	else if (atomic_read(&sgt->closing) || READ_ONCE(sgt->moved) ||
		 !atomic_inc_unless_negative(&sgt->readers))
		ret = -EINVAL;

	/* A move that began before the increment does not see this section: look again. */
	if (!ret && READ_ONCE(sgt->moved)) {
		drm_sgt_access_leave(sgt);
		ret = -EINVAL;
	}
	if (ret) {
		srcu_read_unlock(&sdev->srcu, idx);
		return ret;
	}

	access->sgt = sgt;
	access->idx = idx;
	__release(&sdev->srcu); /* for sparse: the section continues */
	return 0;
}
EXPORT_SYMBOL_GPL(drm_sgt_access_begin);

/**
 * drm_sgt_access_end() - leave an access section
 * @access: the section; nothing happens if it is not open
 *
 * No &struct drm_dma_view from the section may be used from here on.
 *
 * Context: The task that began the section.
 */
void drm_sgt_access_end(struct drm_sgt_access *access)
{
	struct drm_sgt *sgt = access->sgt;

	if (!sgt)
		return;

	access->sgt = NULL;
	drm_sgt_access_leave(sgt);
	__acquire(&sgt->sdev->srcu); /* for sparse: the section continued */
	srcu_read_unlock(&sgt->sdev->srcu, access->idx);
}
EXPORT_SYMBOL_GPL(drm_sgt_access_end);

/**
 * drm_sgt_device_enter() - begin an access section of a device
 * @sdev: the device
 * @idx: for drm_sgt_device_exit()
 *
 * For DMA addresses that do not come from a &struct drm_sgt, but are read back from
 * page tables, for example. An unbind waits for the end of the section, so the rules of
 * "access sections" apply. It holds off nothing else: drm_sgt_unmap() of a table
 * succeeds meanwhile.
 *
 * Context: Process context.
 * Return: 0, or -ENODEV: the device is no longer bound, and no section was begun
 */
int drm_sgt_device_enter(struct drm_sgt_device *sdev, int *idx)
{
	*idx = srcu_read_lock(&sdev->srcu);
	if (drm_sgt_device_is_gone(sdev)) {
		srcu_read_unlock(&sdev->srcu, *idx);
		return -ENODEV;
	}
	__release(&sdev->srcu); /* for sparse: the section continues */
	return 0;
}
EXPORT_SYMBOL_GPL(drm_sgt_device_enter);

/**
 * drm_sgt_device_exit() - end an access section of a device
 * @sdev: the device
 * @idx: from drm_sgt_device_enter()
 *
 * Context: The task that began the section.
 */
void drm_sgt_device_exit(struct drm_sgt_device *sdev, int idx)
{
	__acquire(&sdev->srcu); /* for sparse: the section continued */
	srcu_read_unlock(&sdev->srcu, idx);
}
EXPORT_SYMBOL_GPL(drm_sgt_device_exit);

/**
 * drm_sgt_access_view() - the DMA segments of a table
 * @access: an open section
 *
 * Context: Inside @access.
 * Return: the view, valid until the end of the section; an empty view, with a
 * warning, if the section is not open
 */
struct drm_dma_view drm_sgt_access_view(const struct drm_sgt_access *access)
{
	struct drm_sgt *sgt = access->sgt;
	struct drm_dma_ents ents;

	if (WARN_ON_ONCE(!sgt))
		return (struct drm_dma_view) {};

	ents = drm_sgt_mapped_ents(sgt);
	return (struct drm_dma_view) {
		.sgl = ents.sg,
		.sdev = sgt->sdev,
		.index = &sgt->index,
		.size = sgt->size,
		.nents = ents.nents,
		.phys = ents.phys,
	};
}
EXPORT_SYMBOL_GPL(drm_sgt_access_view);
