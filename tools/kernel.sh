#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Keeps a kernel of the list KERNELS, unpacked and never installed, in the cache: that of
# KERNEL=LINE, or the first one, for the architecture ARCH.
# Usage: tools/kernel.sh root      prints the directory of the image, headers and kbuild
#        tools/kernel.sh source    prints the directory of the matching source
#        tools/kernel.sh compiler  prints the compiler that it was built with
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cache=${SGT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/drm-gem-sgt}

prog=kernel
# shellcheck source=tools/apt.sh
. "$top/tools/apt.sh"
# shellcheck source=tools/arch.sh
. "$top/tools/arch.sh"

# The words of the kernel's line.
entry() {
	sed 's/#.*//' "$top/KERNELS" |
		awk -v line="${KERNEL:-}" 'NF && (line == "" || $1 == line) { print $1, $2, $3; exit }'
}
# shellcheck disable=SC2046
set -- "${1:-}" $(entry)
[ $# = 4 ] || die "KERNEL=${KERNEL:-}: KERNELS has $(sed 's/#.*//' "$top/KERNELS" |
	awk 'NF { printf "%s%s", sep, $1; sep = ", " }')"
what=$1 line=$2 suite=$3 compiler=$4

# The release of the line's newest kernel that apt knows: 6.12.117+deb12-amd64.
newest() {
	apt-cache pkgnames "linux-headers-$line." 2>/dev/null |
		sed -n "s/^linux-headers-\($line\.[0-9.]*+deb[0-9]*-$arch\)\$/\1/p" | sort -V | tail -n 1
}

# The newest release in the cache.
cached() {
	find "$cache" -maxdepth 1 -name "kroot-$line.*-$arch" -printf '%f\n' |
		sed 's/^kroot-//' | sort -V | tail -n 1
}

# fetch PACKAGE VERSION...: the .deb files, into debs/; complete or not at all.
fetch() {
	while [ $# -gt 0 ]; do
		if ! ls "$cache/debs/${1%:*}_$2"_*.deb >/dev/null 2>&1; then
			say "downloading $1 $2"
			(cd "$tmp" && apt-get -o APT::Sandbox::User=root download "$1=$2" >&2) || return 1
			mv "$tmp"/*.deb "$cache/debs/"
		fi
		shift 2
	done
}

# unpack COMMAND PACKAGE VERSION: a .deb that does not unpack is fetched again next time.
unpack() {
	deb=$(ls "$cache/debs/${2%:*}_$3"_*.deb)
	"$1" "$deb" || { rm -f "$deb"; die "cannot unpack $deb (disk full, or damaged): run again"; }
}
unpack_source() {
	mkdir "$tmp/source"
	dpkg --fsys-tarfile "$1" | tar -xO "./usr/src/linux-source-$line.tar.xz" |
		tar -xJ -C "$tmp/source" --strip-components=1
}

# The programs that build modules, with all that they need, for tools/inside.sh. They are for this
# machine's architecture, by lists of its own.
get_tools() (
	debian=amd64
	use_lists "$suite" "$(cached)" || exit 1
	say "downloading $compiler and what it needs"
	# shellcheck disable=SC2046
	get_packages $(needed_by base-files bash "$compiler${cross:+-${cross%-}}" coreutils dash \
		diffutils findutils grep kmod make mawk pahole perl-base sed sparse tar xz-utils zlib1g \
		libelf1t64 libssl3t64) || exit 1
	# The link is made when mawk is installed.
	ln -s mawk "$tmp/root/usr/bin/awk"
)

get_root() {
	version=$1 release=$2 abi=${2%"-$arch"}
	need 1500
	mkdir "$tmp/root"
	[ -z "$foreign" ] || get_tools || return 1
	# From 7.0 on, the image is in three packages.
	case $(apt-cache show "linux-binary-$release" 2>/dev/null) in
	'') set -- "linux-image-$release" ;;
	*) set -- "linux-base-$release" "linux-binary-$release" "linux-modules-$release" ;;
	esac
	set -- "$@" "linux-headers-$release" "linux-headers-$abi-common" "linux-kbuild-$abi:amd64"
	for package; do
		fetch "$package" "$version" || return 1
	done
	say "unpacking the image, headers and kbuild of $abi"
	for package; do
		unpack unpack_root "$package" "$version"
	done
	image=usr/lib/modules/$release/vmlinuz
	if [ -e "$tmp/root/$image" ]; then
		mkdir -p "$tmp/root/boot"
		ln -s "../$image" "$tmp/root/boot/vmlinuz-$release"
	fi
	mv "$tmp/root" "$cache/kroot-$release"
}

get_source() {
	need 2500
	fetch "linux-source-$line" "$1" || return 1
	say "unpacking the source of $1 (1.5 GB, some 15 seconds)"
	unpack unpack_source "linux-source-$line" "$1"
	mv "$tmp/source" "$cache/linux-${2%%+*}"
}

# use RELEASE: sets dir; downloads and unpacks when it is not there yet.
use() {
	case $what in
	root) dir=$cache/kroot-$1 ;;
	source) dir=$cache/linux-${1%%+*} ;;
	esac
	[ -d "$dir" ] && return
	version=$(apt-cache show "linux-headers-$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1)
	[ -n "$version" ] && "get_$what" "$version" "$1"
}

case $what in
root | source) ;;
compiler)
	echo "$cross$compiler"
	exit
	;;
*) die "usage: kernel.sh root|source|compiler" ;;
esac

mkdir -p "$cache/debs"
lock_cache

foreign=
case $(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null) in
'' | "${suite%%-*}")
	[ -z "$cross" ] || use_lists "$suite" "$(cached)" ||
		die "apt does not say where Debian's packages of $arch are"
	;;
*)
	use_lists "$suite" "$(cached)" && foreign=y
	;;
esac

release=$(newest)
if [ -z "$release" ] && [ "$(id -u)" = 0 ] && [ -z "$(cached)" ]; then
	apt-get update -q >&2 || :
	release=$(newest)
fi
if [ -n "$release" ] && use "$release"; then
	:
elif [ -n "$(cached)" ] && use "$(cached)"; then
	[ -z "$release" ] || say "$release cannot be downloaded now: using $(cached)"
elif [ -n "$release" ]; then
	die "download failed; with a network, try: apt-get update, then the same command"
else
	uri=$(archive)
	case $suite in
	*-security) uri=${uri:-ARCHIVE-OF-DEBIAN}-security ;;
	esac
	die "apt knows no linux-headers-$line. It is in $suite: see that
        deb ${uri:-ARCHIVE-OF-DEBIAN} $suite main
is in /etc/apt/sources.list, then: apt-get update"
fi
echo "$dir"
