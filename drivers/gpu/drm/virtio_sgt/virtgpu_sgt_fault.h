/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __VIRTGPU_SGT_FAULT_H__
#define __VIRTGPU_SGT_FAULT_H__

#include <linux/types.h>

void virtgpu_sgt_fault_init(void);
void virtgpu_sgt_fault_exit(void);
bool virtgpu_sgt_fault_hold(void);
unsigned int virtgpu_sgt_fault_len(unsigned int len);

#endif /* __VIRTGPU_SGT_FAULT_H__ */
