#!/bin/sh
# need.sh PROGRAM-OR-FILE PACKAGE...: installs Debian packages unless the program or the file is there.
# Where apt-get may not be used it fails and names the command.
set -eu
wanted=$1
shift
if command -v "$wanted" >/dev/null 2>&1 || [ -e "$wanted" ]; then exit 0; fi
command="apt-get install --no-install-recommends -y $*"
if ! command -v apt-get >/dev/null 2>&1; then
  echo "error: $wanted is missing and there is no apt-get: install what Debian calls $* by your system's means" >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then as=""; elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as="sudo -n"; else
  echo "error: $wanted is missing; run: sudo $command" >&2
  exit 1
fi
echo "installing $*"
$as apt-get update -qq
$as env DEBIAN_FRONTEND=noninteractive $command -qq >/dev/null || { echo "error: failed: $command" >&2; exit 1; }
if ! command -v "$wanted" >/dev/null 2>&1 && ! [ -e "$wanted" ]; then
  echo "error: $* installed, but $wanted is still not found; is it on the PATH?" >&2
  exit 1
fi
