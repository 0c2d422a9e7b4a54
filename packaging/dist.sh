#!/bin/sh
# Builds what a release consists of into dist/: programs for linux on amd64 and
# arm64, deb and rpm of each, checksums, the licences of what is in them, and a
# list of that (SBOM). VERSION is the release's; else what git describes.
#
#   sh packaging/dist.sh [ARCH...]
#
# It needs Go and a C compiler for each architecture: gcc for this machine's, and
# for another Debian's cross compiler, such as gcc-aarch64-linux-gnu.
set -eu
cd "$(dirname "$0")/.."

NFPM=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0
SBOM=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0

VERSION=${VERSION:-$(git describe --tags --match 'v*' --dirty 2>/dev/null || true)}
VERSION=${VERSION#v}
[ -n "$VERSION" ] || VERSION="0.0.0~$(git log -1 --format=%cd.%h --date=format:%Y%m%d)"
export VERSION
export DIST="${DIST:-dist}"
[ $# -gt 0 ] || set -- amd64 arm64

# compiler is the C compiler for an architecture.
compiler() {
  case "$1" in
  "$(go env GOHOSTARCH)") go env CC ;;
  amd64) echo x86_64-linux-gnu-gcc ;;
  arm64) echo aarch64-linux-gnu-gcc ;;
  *)
    echo "dist: no compiler is known for $1" >&2
    exit 1
    ;;
  esac
}

rm -rf "$DIST"
mkdir -p "$DIST/completion"
for arch in "$@"; do
  cc=$(compiler "$arch")
  if ! command -v "$cc" >/dev/null; then
    echo "dist: $cc is missing for $arch; on Debian: apt-get install gcc-$(echo "${cc%-gcc}" | tr _ -)" >&2
    exit 1
  fi
  echo "dist: $arch"
  CGO_ENABLED=1 GOOS=linux GOARCH=$arch CC=$cc go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X hookgate/app/cli.stamped=$VERSION" -o "$DIST/hookgate-linux-$arch" .
done

go run ./packaging/man "$DIST/man"
gzip -9n "$DIST"/man/*.1
for shell in bash zsh fish; do
  go run . completion $shell >"$DIST/completion/$shell"
done
sh packaging/licences.sh >"$DIST/THIRD-PARTY-LICENSES.txt"
# The unit of a package: its program is elsewhere, and its user has a name.
sed -e 's,/usr/local/bin/,/usr/bin/,; s,/usr/local/share/doc/,/usr/share/doc/,; s,^DynamicUser=yes$,User=hookgate\nGroup=hookgate,' \
  packaging/hookgate.service >"$DIST/hookgate.service"
cp packaging/hookgate-backup.service packaging/hookgate-backup.timer "$DIST/"

nfpm=${NFPM_PROGRAM:-go run $NFPM}
sbom=${SBOM_PROGRAM:-go run $SBOM}
for arch in "$@"; do
  for packager in deb rpm; do
    ARCH=$arch $nfpm package -f packaging/nfpm.yaml -p $packager -t "$DIST/"
  done
done
$sbom bin -json -licenses=false -output "$DIST/hookgate-$VERSION.cdx.json" "$DIST/hookgate-linux-$1" 2>/dev/null
(cd "$DIST" && sha256sum hookgate-linux-* ./*.deb ./*.rpm ./*.cdx.json THIRD-PARTY-LICENSES.txt | sed 's,  \./,  ,' >SHA256SUMS)
ls -l "$DIST"
