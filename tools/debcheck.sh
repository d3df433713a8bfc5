#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Builds the packages of debian/, and installs, upgrades and purges them in a chroot.
# Usage: tools/debcheck.sh    as root; it works in build/packages/
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
scratch=$top/build/packages
# Mounts end with the script.
[ -n "${1:-}" ] || exec unshare --mount "$0" inside
rm -rf "$scratch"
mkdir -p "$scratch"
chroot=$scratch/chroot
name=drm-gem-sgt

step() {
	"$@" >"$scratch/log" 2>&1 || { echo "$*: failed"; tail -n 30 "$scratch/log"; exit 1; }
}
inside() { step env DEBIAN_FRONTEND=noninteractive chroot "$chroot" "$@"; }
files() { (cd "$chroot" && find etc usr var/lib/dkms lib/modules 2>/dev/null) | sort; }

# packages VERSION: into the chroot, in /VERSION
packages() {
	mkdir -p "$scratch/$1/src" "$chroot/$1"
	(cd "$top" && tar -c --exclude=./build --exclude=./.git .) | tar -x -C "$scratch/$1/src"
	cd "$scratch/$1/src"
	sed -i "1s/(.*)/($1)/" debian/changelog
	sed -i "s/\(DRM_SGT_VERSION\) .*/\1 \"$1\"/" include/drm/drm_sgt_version.h
	step env DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -us -uc
	cp ../*.deb "$chroot/$1/"
}

# The cached kernel, where its packages would be; without its modules, which nothing loads.
install_kernel() {
	root=$("$top/tools/kernel.sh" root)
	release=${root##*/kroot-}
	tar -c -C "$root" --exclude="./lib/modules/$release/kernel" ./usr ./lib |
		tar -x --keep-directory-symlink -C "$chroot"
	inside depmod "$release"
}

# The sample, as a driver of another repository, against the package of headers.
build_sample() {
	cp -R "$top/samples/driver" "$chroot/driver"
	inside make -C /driver KDIR="/lib/modules/$release/build" CONFIG_MODULE_SIG_ALL=
	! grep -Ei 'warning:' "$scratch/log" || { echo 'the sample builds with warnings'; exit 1; }
	inside sh -c "modinfo -F depends /driver/sgt_sample.ko | grep -w drm_gem_sgt"
	rm -rf "$chroot/driver"
}

suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
step mmdebstrap --variant=apt --include=dkms,intel-gpu-tools,libelf1,pahole "$suite" "$chroot"
mount -t proc proc "$chroot/proc"
install_kernel
version=$(dpkg-parsechangelog -l "$top/debian/changelog" -S Version)
packages "$version"
packages "$version+1"
# What a package leaves in these directories, purged, is found.
files >"$scratch/before"
for each in "$version" "$version+1"; do
	inside sh -c "dpkg -i /$each/*.deb"
	inside test -e "/usr/src/$name-$each/dkms.conf"
	inside sh -c "dkms status | grep '^$name/$each, $release,.*: installed'"
	inside test -e "/etc/modprobe.d/$name.conf"
	inside test -e "/usr/src/$name/include/drm/drm_gem_sgt.h"
	inside /usr/libexec/$name/sgt_create --list-subtests
	build_sample
done
inside sh -c "[ -z \"\$(ls -d /usr/src/$name-$version 2>/dev/null)\" ]"
inside dpkg --purge $name-dkms $name-dev $name-tests
if files | diff "$scratch/before" - | grep '^[<>]'; then
	echo 'the packages leave files, or have taken some'
	exit 1
fi
