#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Keeps what the guest's programs are built with and run on, for another architecture ARCH, in the
# cache: the C library, libdrm and busybox of this machine's release of Debian. Prints the directory.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cache=${SGT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/drm-gem-sgt}

prog=userroot
# shellcheck source=tools/apt.sh
. "$top/tools/apt.sh"
# shellcheck source=tools/arch.sh
. "$top/tools/arch.sh"
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

get() {
	need 300
	say "downloading the C library, libdrm and busybox of $debian (10 MB)"
	# shellcheck disable=SC2086
	get_packages $1 || return 1
	rm -rf "$tmp/root/usr/share"
	mv "$tmp/root" "$cache/$2"
}

mkdir -p "$cache"
lock_cache
use_lists "$suite-security" "$(newest_cached "userroot-*-$debian")" || die "apt does not say where Debian's packages of $debian are"
packages=$(needed_by libdrm-dev busybox-static) || packages=
packages=${packages:+libc6-dev linux-libc-dev $packages}
keep "userroot-$(key libc6-dev "$packages")-$debian" "$packages" "userroot-*-$debian"
