// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sgt_cgroup.h"

static int write_text(const char *dir, const char *file, const char *text)
{
	char path[160];
	FILE *out;
	int err;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	err = fputs(text, out) < 0 ? -EIO : 0;
	return fclose(out) ? -errno : err;
}

int sgt_cgroup_begin(struct sgt_cgroup *group)
{
	int err;

	snprintf(group->root, sizeof(group->root), "/tmp/sgt-cgroup-XXXXXX");
	if (!mkdtemp(group->root))
		return -errno;
	if (mount("none", group->root, "cgroup2", 0, NULL)) {
		err = errno == ENODEV ? -EOPNOTSUPP : -errno;
		rmdir(group->root);
		return err;
	}
	snprintf(group->path, sizeof(group->path), "%s/sgt", group->root);
	err = write_text(group->root, "cgroup.subtree_control", "+memory");
	if (!err && mkdir(group->path, 0755))
		err = -errno;
	if (err)
		sgt_cgroup_end(group);
	return err == -EINVAL || err == -ENOENT ? -EOPNOTSUPP : err;
}

int sgt_cgroup_join(const struct sgt_cgroup *group)
{
	return sgt_cgroup_write(group, "cgroup.procs", getpid());
}

int sgt_cgroup_write(const struct sgt_cgroup *group, const char *file, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	return write_text(group->path, file, text);
}

long long sgt_cgroup_read(const struct sgt_cgroup *group, const char *file)
{
	long long value;
	char path[160];
	FILE *in;
	int got;

	snprintf(path, sizeof(path), "%s/%s", group->path, file);
	in = fopen(path, "re");
	if (!in)
		return -errno;
	got = fscanf(in, "%lld", &value);
	fclose(in);
	return got == 1 ? value : -EIO;
}

void sgt_cgroup_end(struct sgt_cgroup *group)
{
	rmdir(group->path);
	umount(group->root);
	rmdir(group->root);
}
