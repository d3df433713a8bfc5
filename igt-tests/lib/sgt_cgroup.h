/* SPDX-License-Identifier: GPL-2.0 */
/* A memory cgroup: the memory charged to its processes, and its limit. */
#ifndef SGT_CGROUP_H
#define SGT_CGROUP_H

struct sgt_cgroup {
	char root[64];		/* where the hierarchy is mounted */
	char path[80];		/* the group */
};

/* All return a negative errno on failure: -EOPNOTSUPP without a memory controller. */
int sgt_cgroup_begin(struct sgt_cgroup *group);
int sgt_cgroup_join(const struct sgt_cgroup *group);
int sgt_cgroup_write(const struct sgt_cgroup *group, const char *file, long long value);
long long sgt_cgroup_read(const struct sgt_cgroup *group, const char *file);

/* To be called when all processes of the group have exited */
void sgt_cgroup_end(struct sgt_cgroup *group);

#endif
