#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Has dkms build, install and remove the modules for the cached kernel. The kernel is at its place
# in a mount namespace of the script's own, and what dkms writes is in SCRATCH.
# Says "cannot mount" where that is not allowed, as in most containers: an overlay of empty
# directories shows it. After that, a mount that fails is a fault.
# Usage: tools/dkmscheck.sh SCRATCH ROOT    ROOT: the directory of tools/kernel.sh root
set -eu

scratch=$1
root=$2
if [ -z "${3:-}" ]; then
	[ "$(id -u)" = 0 ] && user='' || user=--map-root-user
	tree=$("$(dirname "$0")/dkms.sh" "$scratch")
	# shellcheck disable=SC2086
	unshare --mount $user true 2>/dev/null || { echo 'cannot mount'; exit; }
	# shellcheck disable=SC2086
	exec unshare --mount $user "$0" "$scratch" "$root" "$tree"
fi
release=${root##*/kroot-}
module=$(basename "$3" | sed 's,\(.*\)-,\1/,')

# over DIRECTORY LAYERS: a writable view of the layers, which stay as they are
over() {
	mkdir -p "$scratch/over$1" "$scratch/work$1"
	mount -t overlay overlay \
		-o "lowerdir=$2,upperdir=$scratch/over$1,workdir=$scratch/work$1" "$1"
}
mkdir -p "$scratch/usr/lib/modules" "$scratch/dkms" "$scratch/probe"
over "$scratch/probe" "$scratch/usr/lib/modules" 2>/dev/null || { echo 'cannot mount'; exit; }
umount "$scratch/probe"
over /usr "$root/usr:$scratch/usr:/usr"
over /usr/lib/modules "$root/lib/modules"
mkdir -p /var/lib/dkms
mount --bind "$scratch/dkms" /var/lib/dkms

run() {
	"$@" >"$scratch/log" 2>&1 || {
		echo "$*: failed"
		cat "$scratch/log" /var/lib/dkms/*/*/build/make.log 2>/dev/null
		exit 1
	}
}
run dkms add "$3"
for step in build install; do
	run dkms $step "$module" -k "$release"
done
grep -H 'warning:' /var/lib/dkms/*/*/"$release"/*/log/make.log || :
# From the last one, all others are reached.
run modprobe -S "$release" --show-depends -a edu_gpu virtio_gpu_sgt
[ "$(grep -c '/updates/dkms/' "$scratch/log")" -ge 4 ] || {
	echo "modprobe does not find the modules of dkms:"
	cat "$scratch/log"
}
installed=$(modinfo -k "$release" -F version virtio_gpu_sgt)
[ "$module" = "drm-gem-sgt/$installed" ] || echo "$module has modules of version '$installed'"
symbols=/usr/src/drm-gem-sgt/$release/Module.symvers
grep -q 'drm_sgt_map\b' "$symbols" || echo "$symbols has no symbols for other drivers"

run dkms remove "$module" --all
[ ! -e "$symbols" ] || echo "dkms leaves $symbols"
# The source in /usr/src stays, as it came by dkms add.
find /usr/lib/modules/"$release" /var/lib/dkms -path '*dkms/*.ko*' -o -name 'drm-gem-sgt*'
