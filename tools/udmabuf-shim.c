// SPDX-License-Identifier: GPL-2.0
/*
 * Gives QEMU a /dev/udmabuf on a host without one: a library for LD_PRELOAD.
 *
 * A udmabuf is here a memfd that has the list of its pieces as its content. To map it is
 * to map each piece, one after the other, which is what QEMU needs to show a blob. Nothing
 * else works on it. The limits are those of the kernel's udmabuf. So that a test can have
 * a blob that the host cannot show, one size is refused, too.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICE		"/dev/udmabuf"
#define MAX_PIECES	1024
#define MAX_BYTES	(64ull << 20)
#define REFUSED_BYTES	(1500 * 4096ull)
#define MAGIC		0x75646d6162756673ull

struct shim {
	uint64_t magic;
	uint64_t count;
	struct udmabuf_create_item items[MAX_PIECES];
};

static int shim_device = -1;

static int shim_open(const char *path, int flags, mode_t mode)
{
	if (strcmp(path, DEVICE))
		return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (shim_device < 0)
		shim_device = memfd_create("udmabuf-shim", MFD_CLOEXEC);
	return shim_device;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	return shim_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

static int shim_create(const struct udmabuf_create_list *list)
{
	struct shim shim = { .magic = MAGIC, .count = list->count };
	uint64_t i, bytes = 0;
	int fd;

	if (!list->count || list->count > MAX_PIECES) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < list->count; i++) {
		shim.items[i] = list->list[i];
		bytes += list->list[i].size;
		if ((list->list[i].offset | list->list[i].size) % getpagesize() ||
		    bytes > MAX_BYTES) {
			errno = EINVAL;
			return -1;
		}
	}

	if (bytes == REFUSED_BYTES) {
		errno = ENOMEM;
		return -1;
	}

	fd = memfd_create("udmabuf", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, &shim, sizeof(shim)) != sizeof(shim)) {
		close(fd);
		return -1;
	}
	return fd;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (shim_device >= 0 && fd == shim_device && request == UDMABUF_CREATE_LIST)
		return shim_create(arg);
	return syscall(SYS_ioctl, fd, request, arg);
}

/* Whether a file is one of shim_create(). */
static int shim_read(int fd, struct shim *shim)
{
	return shim_device >= 0 && fd >= 0 &&
	       pread(fd, shim, sizeof(*shim), 0) == sizeof(*shim) && shim->magic == MAGIC;
}

static void *shim_mmap(const struct shim *shim, size_t len, int prot)
{
	uint64_t i, done = 0;
	char *at;

	at = (char *)syscall(SYS_mmap, NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; at != MAP_FAILED && i < shim->count; i++) {
		const struct udmabuf_create_item *item = &shim->items[i];

		if (item->size > len - done ||
		    (void *)syscall(SYS_mmap, at + done, item->size, prot,
				    MAP_SHARED | MAP_FIXED, item->memfd,
				    item->offset) == MAP_FAILED) {
			munmap(at, len);
			errno = EINVAL;
			return MAP_FAILED;
		}
		done += item->size;
	}
	return at;
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	struct shim shim;

	if (shim_read(fd, &shim))
		return shim_mmap(&shim, len, prot);
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t offset)
	__attribute__((alias("mmap")));
