#!/bin/bash
# SPDX-License-Identifier: MIT
# build-deb.sh OUT [WORK]: builds the Debian packages of this tree, edited files
# included, from a copy in the folder WORK (a fresh one by default, removed at
# the end) into the folder OUT. DEB_BUILD_OPTIONS is nocheck unless it is set, for
# 'make check' is run separately.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=${2:-}
if [ -z "$work" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi

if ! command -v dh >/dev/null; then
    echo "build-deb: debhelper is missing; 'make deps DEPS=deb' installs it" >&2
    exit 1
fi

mkdir -p "$work/distributex"
cd "$top"
if git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard
else
    find . -name .git -prune -o -path ./build -prune -o -type f -printf '%P\0'
fi | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar -c --null -T - | tar -x -C "$work/distributex"
chmod -R u=rwX,go=rX "$work/distributex"

# Variables of a make that runs this script must not reach the build.
cd "$work/distributex"
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CXX -u CXXFLAGS -u CPPFLAGS -u LDFLAGS -u DEPS -u TOP \
    DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-nocheck parallel=$(nproc)}" \
    dpkg-buildpackage -us -uc
mv ../*.deb ../*.dsc ../*.tar.* ../*.buildinfo ../*.changes "$out/"
