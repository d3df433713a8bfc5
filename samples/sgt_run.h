/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SGT_RUN_H
#define SGT_RUN_H

/*
 * Shows the picture, holds buffers in several ways, takes the device away from
 * its driver meanwhile, and prints what became of them.  Returns the program's
 * exit status.
 */
int sgt_run(const char *title);

#endif
