#!/usr/bin/env bash
# debian-slim.sh SUITE MIRROR IMAGE: makes a Debian base image with debootstrap, like the official slim one. Needs root.
set -Eeuo pipefail

suite=$1 mirror=$2 image=$3
root=$(mktemp -d "${TMPDIR:-/var/tmp}/debian-$suite.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 0755 "$root"

# An older debootstrap does not know a newer suite; every recent one is made like sid.
scripts=/usr/share/debootstrap/scripts
if [ ! -e "$scripts/$suite" ]; then
    cp -r "$scripts" "$root/scripts.d"
    ln -s sid "$root/scripts.d/$suite"
    scripts=$root/scripts.d
fi

# debootstrap fetches with wget, which does not know apt's proxy.
proxy=$(apt-config dump --format '%v' Acquire::http::Proxy 2>/dev/null || true)
[ -z "$proxy" ] || export http_proxy=${http_proxy:-$proxy}

keyring=${PACS_DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
tree=$root/tree
debootstrap --variant=minbase --include=ca-certificates --keyring="$keyring" "$suite" "$tree" "$mirror" "$scripts/$suite" \
    > "$root/log" 2>&1 || {
    tail -n 5 "$root/log" "$tree/debootstrap/debootstrap.log" >&2 2>/dev/null || true
    exit 1
}

# The machine's private authorities, so that a mirror they signed works inside as well.
shopt -s nullglob
for certificate in /usr/local/share/ca-certificates/*.crt; do
    cp "$certificate" "$tree/usr/local/share/ca-certificates/"
done
chroot "$tree" update-ca-certificates > /dev/null 2>&1

# A mirror frozen in time serves a release file past its date. The others are what Debian's own images do.
cat > "$tree/etc/apt/apt.conf.d/stand-in" <<'APT'
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
APT::AutoRemove::SuggestsImportant "false";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
APT
cat > "$tree/etc/dpkg/dpkg.cfg.d/stand-in" <<'DPKG'
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
DPKG
printf '#!/bin/sh\nexit 101\n' > "$tree/usr/sbin/policy-rc.d"
chmod +x "$tree/usr/sbin/policy-rc.d"
rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/cache/apt/*.bin "$tree"/var/lib/apt/lists/* "$tree"/var/log/*.log \
    "$tree"/usr/share/{info,locale,man}/*
find "$tree/usr/share/doc" -type f ! -name copyright -delete

tar --numeric-owner -C "$tree" -c . \
    | docker import --change 'CMD ["bash"]' --change 'LABEL org.pacs.stand-in=true' - "$image" > /dev/null
