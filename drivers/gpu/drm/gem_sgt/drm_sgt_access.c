// SPDX-License-Identifier: GPL-2.0

#include <kunit/static_stub.h>

#include "drm_sgt_internal.h"

/**
 * DOC: access sections
 *
 * A DMA address is worth something as long as its mapping exists, and an unbind
 * can end that any moment. So addresses are read inside an access section: it
 * is entered only while the table is mapped, and while somebody is inside,
 * neither drm_sgt_unmap() nor an unbind goes on. An unbind waits, an unmap says
 * -EBUSY.
 *
 * Sections of different devices do not know of each other, unlike those of
 * drm_dev_enter(): a slow one holds up nobody else's unbind. They may sleep and
 * allocate, and should be short. What they must not do is wait for a fence, for
 * the device or for ring space: what is waited for may itself wait for the
 * unbind, which waits for the section.
 *
 * Nor may they touch user memory, by copy_from_user(), get_user() or pinning
 * pages: with userfaultfd, a user decides when such a fault ends, and so when the
 * unbind does. Copy before the section, or after it. Lockdep reports a section
 * that takes the mmap lock, as might_fault() says to it.
 *
 * What is written with the addresses (a page table, a command) outlives the
 * section. To stop the device from using it before the mapping goes is the
 * driver's part, at unbind as well as before drm_sgt_unmap().
 *
 * For example, from Documentation/gpu/drm-sgt.rst and the tests:
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

/* The caller's bug. A function of its own, so that a test can commit it. */
void drm_sgt_access_misused(void)
{
	KUNIT_STATIC_STUB_REDIRECT(drm_sgt_access_misused);

	WARN_ONCE(1, "access section begun twice\n");
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
 * * %-EINVAL - the table is not mapped
 * * %-EBUSY  - @access is open already, with a warning; it stays as it is
 */
int drm_sgt_access_begin(struct drm_sgt *sgt, struct drm_sgt_access *access)
{
	struct drm_sgt_device *sdev = sgt->sdev;
	int idx, ret = 0;

	/* Its end would leave only one of the two, and an unbind would wait on. */
	if (unlikely(access->sgt)) {
		drm_sgt_access_misused();
		return -EBUSY;
	}

	idx = srcu_read_lock(&sdev->srcu);
	/* What an unbind has not waited for is late, and sees this set. */
	if (drm_sgt_device_is_gone(sdev))
		ret = -ENODEV;
	else if (!atomic_inc_unless_negative(&sgt->readers))
		ret = -EINVAL;

	if (ret) {
		srcu_read_unlock(&sdev->srcu, idx);
		return ret;
	}

	access->sgt = sgt;
	access->idx = idx;
	__release(&sdev->srcu); /* for sparse: the section goes on */
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
	/* Orders what was read before; pairs with the cmpxchg of an unmap. */
	atomic_dec_return_release(&sgt->readers);
	__acquire(&sgt->sdev->srcu); /* for sparse: the section went on */
	srcu_read_unlock(&sgt->sdev->srcu, access->idx);
}
EXPORT_SYMBOL_GPL(drm_sgt_access_end);

/*
 * A section of the device, of no table: holds off an unbind, and is refused after
 * one. For addresses that the caller has by other ways than a table.
 */
int drm_sgt_device_enter(struct drm_sgt_device *sdev, int *idx)
{
	*idx = srcu_read_lock(&sdev->srcu);
	if (drm_sgt_device_is_gone(sdev)) {
		srcu_read_unlock(&sdev->srcu, *idx);
		return -ENODEV;
	}
	__release(&sdev->srcu); /* for sparse: the section goes on */
	return 0;
}

void drm_sgt_device_exit(struct drm_sgt_device *sdev, int idx)
{
	__acquire(&sdev->srcu); /* for sparse: the section went on */
	srcu_read_unlock(&sdev->srcu, idx);
}

/* The entries of a mapping, as its device reads them. */
struct drm_dma_ents drm_sgt_mapped_ents(const struct drm_sgt *sgt)
{
	bool phys = sgt->map_ops->phys;

	return (struct drm_dma_ents) {
		.sg = sgt->mapped->sgl,
		.nents = phys ? sgt->mapped->orig_nents : sgt->mapped->nents,
		.phys = phys,
	};
}

/**
 * drm_sgt_access_view() - the DMA segments of a table
 * @access: an open section
 *
 * Context: Inside @access.
 * Return: the view, good until the end of the section. Of a section that is not
 * open, an empty one, with a warning
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
		.layout = &sgt->layout,
		.size = sgt->size,
		.nents = ents.nents,
		.phys = ents.phys,
	};
}
EXPORT_SYMBOL_GPL(drm_sgt_access_view);
