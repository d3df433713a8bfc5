#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Keeps a root of a guest in the cache, of Debian's packages, and prints the directory. The programs
# need a newer C library than this machine has: chroot into it.
# Usage: tools/guestroot.sh igt|desktop
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cache=${SGT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/drm-gem-sgt}

prog=$1
# shellcheck source=tools/apt.sh
. "$top/tools/apt.sh"

# The release, the packages, and those needed by them that nothing here runs. The first package has
# the version that names the root.
case $1 in
igt)
	suite=forky packages=igt-gpu-tools-tests without='' megabytes=20
	;;
desktop)
	suite=trixie megabytes=100
	packages='weston xserver-xorg-core x11-apps x11-xserver-utils libdrm-tests kmscube
		libgl1-mesa-dri libgles2 seatd udev'
	# Weston's screens elsewhere, interpreters, and programs that configure packages
	without='libneatvnc0 libfreerdp3-3 libfreerdp-server3-3 libwinpr3-3 libpipewire-0.3-0t64 cpp
		debconf init-system-helpers iso-codes keyboard-configuration man-db perl-base systemd'
	;;
*)
	die "no such root: $1"
	;;
esac

# What the programs need. No interpreter and no fonts for the tests, of which apt knows no subset.
parts() {
	# shellcheck disable=SC2086
	needed_by $packages | case $prog in
	igt) grep -E '^(lib|zlib1g|igt-|intel-)' | grep -v python ;;
	*) cat ;;
	esac
}

get() {
	need $((20 * megabytes))
	say "downloading ${packages%% *} of $suite, and what it needs ($megabytes MB)"
	# shellcheck disable=SC2086
	get_packages $1 || return 1
	# What Debian's base-files has
	ln -s usr/lib "$tmp/root/lib"
	ln -s usr/lib64 "$tmp/root/lib64"
	# A third of the size: what is not read, and metrics of Intel's hardware
	rm -rf "$tmp/root/usr/share/doc" "$tmp/root/usr/share/man" "$tmp/root/usr/share/locale" \
		"$tmp/root"/usr/lib/*/gconv
	[ "$prog" != igt ] || rm -rf "$tmp/root/etc" "$tmp/root/usr/bin"
	mv "$tmp/root" "$cache/$2"
}

mkdir -p "$cache"
lock_cache
parts=''
if use_lists "$suite" "$(newest_cached "${prog}root-*")"; then
	parts=$(parts) || parts=
fi
keep "${prog}root-$(key "${packages%% *}" "$parts")" "$parts" "${prog}root-*"
