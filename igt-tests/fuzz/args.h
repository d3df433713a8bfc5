/* SPDX-License-Identifier: GPL-2.0 */
/* Short names for the tables of operations. */
#ifndef SGT_FUZZ_ARGS_H
#define SGT_FUZZ_ARGS_H

#define FILE_ARG	{ "file", ARG_FILE, ARG_USES, 0 }
#define BUFFER_ARG	{ "buffer", ARG_BUFFER, ARG_USES, 0 }
#define NEW_BUFFER	{ "buffer", ARG_BUFFER, ARG_MAKES, 0 }
#define OLD_BUFFER	{ "buffer", ARG_BUFFER, ARG_ENDS, 0 }
#define MAP_ARG		{ "map", ARG_MAP, ARG_USES, 0 }
#define NEW_MAP		{ "map", ARG_MAP, ARG_MAKES, 0 }
#define FD_ARG		{ "fd", ARG_FD, ARG_USES, 0 }
#define NEW_FD		{ "fd", ARG_FD, ARG_MAKES, 0 }
#define FB_ARG		{ "fb", ARG_FB, ARG_USES, 0 }
#define NEW_FB		{ "fb", ARG_FB, ARG_MAKES, 0 }
#define OLD_FB		{ "fb", ARG_FB, ARG_ENDS, 0 }
#define SYNCOBJ_ARG	{ "syncobj", ARG_SYNCOBJ, ARG_USES, 0 }
#define NEW_SYNCOBJ	{ "syncobj", ARG_SYNCOBJ, ARG_MAKES, 0 }
#define VIA		{ "via", ARG_VIA, 0, 0 }
#define WIDTH		{ "width", ARG_WIDTH, 0, 0 }
#define HEIGHT		{ "height", ARG_HEIGHT, 0, 0 }
#define POINTER		{ "pointer", ARG_POINTER, 0, 0 }
#define EXACT(name, value)	{ name, ARG_EXACT, 0, value }
#define PICK(name, value)	{ name, ARG_PICK, 0, value }
#define FLAGS(name, value)	{ name, ARG_FLAGS, 0, value }
#define OFF_BY(name)		{ name, ARG_OFF_BY, 0, 0 }
#define ANY(name)		{ name, ARG_ANY, 0, 0 }

#endif
