#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Keeps Debian's build of the upstream IGT tests, with the libraries that they need, in the cache,
# and prints the directory. They need a newer C library than this machine has: chroot into it.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cache=${SGT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/drm-gem-sgt}
suite=forky package=igt-gpu-tools-tests

prog=igt
# shellcheck source=tools/apt.sh
. "$top/tools/apt.sh"

cached() {
	find "$cache" -maxdepth 1 -name 'igtroot-*' -printf '%T@ %f\n' | sort -n |
		sed -n '$s/^[^ ]* //p'
}

# The shared libraries among what a program of the tests needs; no interpreter, no fonts.
parts() {
	needed_by "$package" | grep -E '^(lib|zlib1g|igt-|intel-)' | grep -v python
}

get() {
	need 400
	say "downloading $package of $suite, and the libraries that it needs (20 MB)"
	# shellcheck disable=SC2086
	get_packages $1 || return 1
	# What Debian's base-files has
	ln -s usr/lib "$tmp/root/lib"
	ln -s usr/lib64 "$tmp/root/lib64"
	# A third of the size: what tests do not read, and metrics of Intel's hardware
	rm -rf "$tmp/root/etc" "$tmp/root/usr/bin" "$tmp/root/usr/share/doc" "$tmp/root/usr/share/man" \
		"$tmp/root/usr/share/locale" "$tmp/root"/usr/lib/*/gconv
	rm -rf "$cache"/igtroot-*
	mv "$tmp/root" "$cache/igtroot-$2"
}

mkdir -p "$cache"
lock_cache
packages='' name=''
if use_lists "$suite" "$(cached)"; then
	packages=$(parts) || packages=
fi
if [ -n "$packages" ]; then
	name=$(key "$package" "$packages")
	[ -d "$cache/igtroot-$name" ] || get "$packages" "$name" || name=
fi
[ -n "$name" ] || name=$(cached | sed 's/^igtroot-//')
[ -n "$name" ] || die "download failed; with a network, try: apt-get update, then the same command"
echo "$cache/igtroot-$name"
