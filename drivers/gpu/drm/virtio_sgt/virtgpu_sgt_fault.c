// SPDX-License-Identifier: GPL-2.0

#include <linux/compiler.h>
#include <linux/debugfs.h>
#include <linux/limits.h>

#include "virtgpu_sgt_fault.h"

/**
 * DOC: fault injection
 *
 * A test cannot make the host silent, nor make it report wrong lengths. So the
 * driver can behave as if the host did. The files are in a debugfs directory of the
 * module, since tests of the probe need them before there is a DRM device:
 *
 * ``hold_answers``
 *   While it is Y, no response is taken from a ring, as if the host were silent.
 *
 * ``answer_bytes``
 *   Replaces the number of bytes of a response that the host reports to have
 *   written. 4294967295, the default, turns this off.
 */

static struct dentry *virtgpu_sgt_fault_dir;
static bool virtgpu_sgt_hold_answers;
static u32 virtgpu_sgt_answer_bytes = U32_MAX;

/**
 * virtgpu_sgt_fault_hold() - should the host appear silent?
 *
 * Return: whether responses should stay in the ring
 */
bool virtgpu_sgt_fault_hold(void)
{
	return READ_ONCE(virtgpu_sgt_hold_answers);
}

/**
 * virtgpu_sgt_fault_len() - replace the length of a response
 * @len: bytes that the host reports to have written
 *
 * Return: @len, or the value of ``answer_bytes``
 */
unsigned int virtgpu_sgt_fault_len(unsigned int len)
{
	u32 bytes = READ_ONCE(virtgpu_sgt_answer_bytes);

	return bytes == U32_MAX ? len : bytes;
}

/**
 * virtgpu_sgt_fault_init() - add the files
 */
void virtgpu_sgt_fault_init(void)
{
	virtgpu_sgt_fault_dir = debugfs_create_dir("virtio_gpu_sgt", NULL);
	debugfs_create_bool("hold_answers", 0600, virtgpu_sgt_fault_dir,
			    &virtgpu_sgt_hold_answers);
	debugfs_create_u32("answer_bytes", 0600, virtgpu_sgt_fault_dir,
			   &virtgpu_sgt_answer_bytes);
}

/**
 * virtgpu_sgt_fault_exit() - remove the files
 */
void virtgpu_sgt_fault_exit(void)
{
	debugfs_remove(virtgpu_sgt_fault_dir);
}
