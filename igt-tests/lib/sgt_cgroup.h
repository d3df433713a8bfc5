/* SPDX-License-Identifier: GPL-2.0 */
/* A memory cgroup: what the kernel charges a process for, and its limit. */
#ifndef SGT_CGROUP_H
#define SGT_CGROUP_H

struct sgt_cgroup {
	char root[64];		/* where the hierarchy is mounted */
	char path[80];		/* the group */
};

/* All return a negative errno if they fail.  -EOPNOTSUPP: no memory controller */
int sgt_cgroup_begin(struct sgt_cgroup *group);
int sgt_cgroup_join(const struct sgt_cgroup *group);
int sgt_cgroup_write(const struct sgt_cgroup *group, const char *file, long long value);
long long sgt_cgroup_read(const struct sgt_cgroup *group, const char *file);

/* When its processes are gone */
void sgt_cgroup_end(struct sgt_cgroup *group);

#endif
