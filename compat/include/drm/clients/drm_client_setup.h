/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/version.h>

/* 6.13: drm_client_setup.h moved to clients/. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <drm/drm_client_setup.h>
#else
#include_next <drm/clients/drm_client_setup.h>
#endif
