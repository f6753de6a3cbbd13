#!/bin/sh
# Prove deploy/ on a fresh Debian: `deploy/proof/fresh-debian.sh`, as root, with mmdebstrap (Debian: mmdebstrap).
# Makes a system of a few packages, gives it deploy/ and a wheel, and runs inside.py in it; leaves nothing.
# Packages of Debian and of Python come from where apt and pip of this machine are set to look for them; the fresh system
# has no network but its own loopback. Its Python must be of the version of this one (bookworm: 3.11).
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
suite=${SUITE:-bookworm}
python=${PYTHON:-.venv/bin/python}
[ "$(id -u)" = 0 ] || { echo "run it as root: it makes a system in a folder and changes into it" >&2; exit 2; }
command -v mmdebstrap >/dev/null || { echo "mmdebstrap is not installed (Debian: mmdebstrap)" >&2; exit 2; }

root=$(mktemp -d)
chmod 755 "$root"
undo() { umount -lR "$root/proc" "$root/dev" 2>/dev/null || true; rm -rf --one-file-system "$root"; }
trap undo EXIT

if [ -n "${SYSTEM:-}" ]; then tar -xf "$SYSTEM" -C "$root"  # one that mmdebstrap made before
else mmdebstrap --quiet --variant=minbase --include=python3-venv,libgomp1,systemd,prometheus "$suite" "$root"
fi
"$python" -m pip wheel --quiet --no-deps --no-build-isolation . --wheel-dir "$root/srv"
cp -r deploy "$root/srv/deploy"
"$python" -m pip download --quiet --require-hashes --only-binary :all: -r deploy/serving/requirements.lock \
    --dest "$root/srv/packages"
mount --bind /dev "$root/dev"
wheel=$(cd "$root/srv" && ls tamis-*.whl)
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    PIP_NO_INDEX=1 PIP_FIND_LINKS=/srv/packages \
    unshare --net --pid --fork --mount sh -c 'mount -t proc proc "$1/proc"; mount -t tmpfs tmpfs "$1/dev/shm"; ip link set lo up;
    exec chroot "$1" python3 "$2" "$3"' sh "$root" /srv/deploy/proof/inside.py "/srv/$wheel"
