/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __DRM_SGT_VERSION_H__
#define __DRM_SGT_VERSION_H__

/* Of the modules and packages. The UAPI of a driver has a version of its own. */
#define DRM_SGT_VERSION "0.1.0"

#endif
