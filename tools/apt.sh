# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Functions of the scripts that keep Debian's packages in the cache, unpacked and never installed.
# Such a script sets prog, its name in messages, and cache, the directory.

say() { echo "$prog: $*" >&2; }
die() { say "$*"; exit 1; }

# Where apt finds Debian itself.
archive() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		sed -n 's,^Debian \(.*[^/]\)/*$,\1,p' | head -n 1
}

# need MB: there is room for so much in the cache.
need() {
	free=$(df --output=avail -m "$cache" | tail -n 1 | tr -d ' ')
	[ "$free" -ge "$1" ] || die "the disk of $cache is full: $free MB are free, and it takes $1;
        SGT_CACHE=DIR puts it elsewhere"
}

# Waits until no other run fills the cache; sets tmp, a directory in it for what is not complete.
lock_cache() {
	exec 9>"$cache/lock"
	flock -n 9 || { say "waiting for another run that fills the cache"; flock 9; }
	rm -rf "$cache"/tmp.*
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 130' INT TERM
}

# use_lists SUITE CACHED: has apt use lists of a release of Debian that this machine does not run;
# fresh ones once a day. Without a network, that is tried again at once only if CACHED is empty. The
# mirror is the one that apt has; fails if it has none. debian is Debian's name of the architecture;
# the packages of this machine's own are NAME:amd64 in the lists of another one.
use_lists() {
	apt=$cache/apt-$1 uri=$(archive)
	[ "${debian:-amd64}" = amd64 ] || apt=$apt-$debian
	[ -n "$uri" ] || return 1
	mkdir -p "$apt/lists/partial" "$apt/archives/partial"
	: >"$apt/status"
	for each in $(printf '%s\n' "${1%%-*}" "$1" | sort -u); do
		case $each in
		*-security) echo "deb $uri-security $each main" ;;
		*) echo "deb $uri $each main" ;;
		esac
	done >"$apt/sources.list"
	# A mirror may lag behind the date that a release is valid until.
	cat >"$apt/conf" <<-END
		Dir::State "$apt";
		Dir::State::status "$apt/status";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Acquire::Languages "none";
		APT::Architecture "${debian:-amd64}";
		APT::Architectures { "${debian:-amd64}"; "amd64"; };
		Acquire::Check-Valid-Until "false";
		APT::Sandbox::User "root";
	END
	export APT_CONFIG="$apt/conf"
	[ -z "$(find "$apt/updated" -mtime -1 2>/dev/null)" ] || return 0
	say "fetching the package lists of $1"
	# Without the option, lists that cannot be fetched are no error.
	apt-get update -q -o APT::Update::Error-Mode=any >"$apt/log" 2>&1 || {
		tail -n 3 "$apt/log" >&2
		[ -n "$2" ] || return 0
	}
	touch "$apt/updated"
}

# unpack_root DEB: into the directory root of tmp.
unpack_root() { dpkg-deb --fsys-tarfile "$1" | tar -x --no-same-owner -C "$tmp/root"; }

# What installing the packages would install, but for what the recommended ones want, and for the
# packages in without and what only these want: apt takes them for installed.
needed_by() {
	for each in ${without:-}; do
		printf '%s\n' "Package: $each" 'Status: install ok installed' 'Architecture: all' \
			'Multi-Arch: foreign' 'Version: 99:0' ''
	done >"$tmp/status"
	apt-get install -s --no-install-recommends -o Dir::State::status="$tmp/status" "$@" |
		sed -n 's/^Inst \([^ ]*\).*/\1/p'
}

# key PACKAGE PACKAGES: the version of the first, and a sum of all others' versions and of what makes
# a directory of them, in one word.
key() {
	version=$(apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1)
	# shellcheck disable=SC2086
	sum=$({
		apt-cache show --no-all-versions $2 2>/dev/null | sed -n 's/^SHA256: //p'
		cat "$0" "$top/tools/apt.sh"
	} | sha256sum)
	echo "$version-$(echo "$sum" | cut -c 1-8)"
}

# newest_cached PATTERN: the newest directory in the cache with such a name.
newest_cached() {
	find "$cache" -maxdepth 1 -name "$1" -printf '%T@ %f\n' | sort -n | sed -n '$s/^[^ ]* //p'
}

# keep NAME PACKAGES PATTERN: prints the directory NAME of the cache. If it is not there, get makes it
# of PACKAGES; the newest one of PATTERN is used if that fails, or if PACKAGES is empty. The others of
# PATTERN go, unless a checkout has used them in the last day.
keep() {
	kept=$1
	[ -n "$2" ] && { [ -d "$cache/$1" ] || get "$2" "$1"; } || kept=$(newest_cached "$3")
	[ -n "$kept" ] || die "download failed; with a network, try: apt-get update, then the same command"
	touch "$cache/$kept"
	find "$cache" -maxdepth 1 -name "$3" -mmin +1440 -exec rm -rf {} +
	echo "$cache/$kept"
}

# get_packages PACKAGE...: unpacks the packages of apt's lists into the directory root of tmp.
get_packages() {
	mkdir -p "$tmp/packages" "$tmp/root"
	(cd "$tmp/packages" && apt-get download -qq "$@" >"$tmp/log" 2>&1) ||
		{ cat "$tmp/log" >&2; return 1; }
	for deb in "$tmp"/packages/*.deb; do
		unpack_root "$deb" || die "cannot unpack ${deb##*/}"
	done
	rm -rf "$tmp/packages"
}
