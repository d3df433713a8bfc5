/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/version.h>

/* 7.3 at the latest: pagevec.h, which had nothing but folio batches, became folio_batch.h. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
#include <linux/pagevec.h>

#ifndef FOLIO_BATCH_SIZE
#define FOLIO_BATCH_SIZE	PAGEVEC_SIZE
#endif
#else
#include_next <linux/folio_batch.h>
#endif
