// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into QEMU: its GL context stays with the main thread. When a guest resets a virtio-gpu,
 * QEMU 7.2 takes the context in the thread of a CPU as well, and crashes. Without a context, what
 * that thread draws is lost.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

int SDL_GL_MakeCurrent(void *window, void *context);

int SDL_GL_MakeCurrent(void *window, void *context)
{
	static int (*next)(void *window, void *context);

	if (gettid() != getpid())
		return 0;
	if (!next)
		next = (int (*)(void *, void *))dlsym(dlopen("libSDL2-2.0.so.0", RTLD_LAZY),
						       "SDL_GL_MakeCurrent");
	return next(window, context);
}
