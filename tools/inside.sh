#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs a command with the compiler of a kernel: tools/inside.sh ROOT COMMAND...
#
# The root of a kernel from another release of Debian than the machine's has the programs that its
# modules are built with. They replace /usr in a mount namespace of the command's own.
set -eu

root=$1
shift
[ -x "$root/usr/bin/make" ] || exec "$@"

[ "$(id -u)" = 0 ] && user='' || user=--map-root-user
# shellcheck disable=SC2016,SC2086
exec unshare --mount $user sh -c 'mount --bind "$0" /usr && exec "$@"' "$root/usr" "$@"
