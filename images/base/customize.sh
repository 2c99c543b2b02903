#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What "base" is beyond its packages; runs before the tree is sealed.
#
# $1 is the root tree. Runs as its root, on the machine that builds.
set -eu
root=$1

# The user that works in the sandbox. Root inside is no privilege outside.
chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash \
	--user-group user
printf 'user ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$root/etc/sudoers.d/user"
printf 'Defaults env_keep += "HTTP_PROXY HTTPS_PROXY NO_PROXY"\n' \
	>>"$root/etc/sudoers.d/user"
chmod 440 "$root/etc/sudoers.d/user"

# What pip and npm install for the user is on its PATH: a login shell adds
# ~/.local/bin by itself, everything else reads /etc/environment. Debian's
# marker against pip is left out by etc/dpkg/dpkg.cfg.d/caponier.
printf 'PATH="%s"\nLANG=C.UTF-8\n' \
	"/home/user/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
	>"$root/etc/environment"
printf 'prefix=/home/user/.local\n' >"$root/home/user/.npmrc"
mkdir -p "$root/home/user/.local/bin"
chroot "$root" chown -R user:user /home/user/.npmrc /home/user/.local
printf 'LANG=C.UTF-8\n' >"$root/etc/default/locale"
