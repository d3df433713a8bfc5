// SPDX-License-Identifier: GPL-2.0
/* Preloaded: stops the program when its tenth frame is on the screen, before it draws the next. */
#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>

int drmHandleEvent(int fd, void *context);

int drmHandleEvent(int fd, void *context)
{
	static int (*next)(int fd, void *context);
	static int frames;
	int ret;

	if (!next)
		next = (int (*)(int, void *))dlsym(RTLD_NEXT, "drmHandleEvent");
	ret = next(fd, context);
	if (++frames == 10)
		raise(SIGSTOP);
	return ret;
}
