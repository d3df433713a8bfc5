#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Keeps Debian's 6.12 kernel, unpacked and never installed, in the cache.
# Usage: tools/kernel.sh root      prints the directory of the image, headers and kbuild
#        tools/kernel.sh source    prints the directory of the matching source
set -eu

cache=${SGT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/drm-gem-sgt}
mkdir -p "$cache/debs"

say() { echo "kernel: $*" >&2; }
die() { say "$*"; exit 1; }

# The release of the newest 6.12 kernel that apt knows: 6.12.117+deb12-amd64.
newest() {
	apt-cache depends linux-image-6.12-amd64 2>/dev/null |
		sed -n 's/^ *Depends: linux-image-\(6\.12\..*-amd64\)$/\1/p' | sort -V | tail -n 1
}

# Where apt would find the security updates, by where it finds bookworm itself.
security() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		sed -n 's,^bookworm \(.*[^/]\)/*$,\1-security,p' | head -n 1
}

# The newest release in the cache.
cached() {
	find "$cache" -maxdepth 1 -name 'kroot-6.12.*-amd64' -printf '%f\n' |
		sed 's/^kroot-//' | sort -V | tail -n 1
}

# need MB: there is room for so much in the cache.
need() {
	free=$(df --output=avail -m "$cache" | tail -n 1 | tr -d ' ')
	[ "$free" -ge "$1" ] || die "the disk of $cache is full: $free MB are free, and it takes $1;
        SGT_CACHE=DIR puts it elsewhere"
}

# fetch PACKAGE VERSION...: the .deb files, into debs/; complete or not at all.
fetch() {
	while [ $# -gt 0 ]; do
		if ! ls "$cache/debs/$1_$2"_*.deb >/dev/null 2>&1; then
			say "downloading $1 $2"
			(cd "$tmp" && apt-get -o APT::Sandbox::User=root download "$1=$2" >&2) || return 1
			mv "$tmp"/*.deb "$cache/debs/"
		fi
		shift 2
	done
}

# unpack COMMAND PACKAGE VERSION: a .deb that does not unpack is fetched again next time.
unpack() {
	deb=$(ls "$cache/debs/$2_$3"_*.deb)
	"$1" "$deb" || { rm -f "$deb"; die "cannot unpack $deb (disk full, or damaged): run again"; }
}
unpack_root() { dpkg -x "$1" "$tmp/root"; }
unpack_source() {
	mkdir "$tmp/source"
	dpkg --fsys-tarfile "$1" | tar -xO "./usr/src/linux-source-6.12.tar.xz" |
		tar -xJ -C "$tmp/source" --strip-components=1
}

get_root() {
	version=$1 abi=${2%-amd64}
	need 500
	set -- "linux-image-$2" "linux-headers-$2" "linux-headers-$abi-common" "linux-kbuild-$abi"
	for package; do
		fetch "$package" "$version" || return 1
	done
	say "unpacking the image, headers and kbuild of $abi"
	for package; do
		unpack unpack_root "$package" "$version"
	done
	mv "$tmp/root" "$cache/kroot-$abi-amd64"
}

get_source() {
	need 2500
	fetch linux-source-6.12 "$1" || return 1
	say "unpacking the source of $1 (1.5 GB, some 15 seconds)"
	unpack unpack_source linux-source-6.12 "$1"
	mv "$tmp/source" "$cache/linux-${2%%+*}"
}

# use RELEASE: sets dir; downloads and unpacks when it is not there yet.
use() {
	case $what in
	root) dir=$cache/kroot-$1 ;;
	source) dir=$cache/linux-${1%%+*} ;;
	esac
	[ -d "$dir" ] && return
	version=$(apt-cache show "linux-image-$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1)
	[ -n "$version" ] && "get_$what" "$version" "$1"
}

what=${1:-}
case $what in
root | source) ;;
*) die "usage: kernel.sh root|source" ;;
esac

exec 9>"$cache/lock"
flock -n 9 || { say "waiting for another run that fills the cache"; flock 9; }
rm -rf "$cache"/tmp.*
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

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
	archive=$(security)
	die "apt knows no linux-image-6.12-amd64. It is in bookworm-security: see that
        deb ${archive:-ARCHIVE-OF-SECURITY-UPDATES} bookworm-security main
is in /etc/apt/sources.list, then: apt-get update"
fi
echo "$dir"
