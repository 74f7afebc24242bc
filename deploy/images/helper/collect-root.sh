#!/bin/sh
# Collects from this Debian root what jobs need of a helper, and nothing else: git, git-lfs, a shell with the usual
# tools, the certificate bundle, our program, and the libraries of all of them. Usage: collect-root.sh OUT PROGRAM
set -eu
out=$1
program=$2

missing=''
for package in git git-lfs bash; do
  command -v "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -s /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086 # a list of names
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; }; then
    [ "$missing" = ' git-lfs' ] || { echo "this base has no$missing, and they cannot be installed" >&2; exit 1; }
    echo 'git-lfs cannot be installed: the image does without it' >&2
  fi
fi

mkdir -p "$out/bin" "$out/usr/bin" "$out/usr/lib" "$out/etc/ssl/certs" "$out/root" "$out/tmp" "$out/var/tmp"
chmod 1777 "$out/tmp" "$out/var/tmp"

# The libraries of a program, at the paths where its loader looks for them.
add_libraries() {
  ldd "$1" 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | while read -r library; do
    [ -e "$out$library" ] && continue
    mkdir -p "$out$(dirname "$library")"
    cp -L "$library" "$out$library"
  done
}

add_program() {
  path=$(command -v "$1") || return 0
  case $path in /*) ;; *) path=/usr/bin/$1 ;; esac
  [ -e "$path" ] || return 0
  cp -L "$path" "$out/usr/bin/$1"
  add_libraries "$path"
}

for tool in bash dash git git-lfs \
  basename cat chgrp chmod chown cp cut date dd df dirname du echo env expr false find grep head id install kill ln ls md5sum mkdir \
  mkfifo mktemp mv nohup od printenv printf pwd readlink realpath rm rmdir sed seq setsid sha256sum sleep sort stat sync tail \
  tee test timeout touch tr true tty uname uniq wc whoami xargs tar gzip; do
  add_program "$tool"
done
mv "$out/usr/bin/dash" "$out/bin/sh"
ln -s ../usr/bin/bash "$out/bin/bash"

core=$(git --exec-path)
mkdir -p "$out$core"
for part in "$core"/*; do
  name=$(basename "$part")
  case $name in
    # Servers, mail and other version control systems; perl is not there either.
    *cvs* | *svn* | *p4* | git-daemon | git-http-backend | git-imap-send | git-send-email | git-instaweb | git-gui* | gitk | git-shell) continue ;;
  esac
  if [ -L "$part" ] || [ -d "$part" ]; then cp -a "$part" "$out$core/"
  elif ! head -c 64 "$part" | head -n 1 | grep -q perl; then
    # Copies of git itself become links.
    if cmp -s "$part" "$(command -v git)"; then ln -s /usr/bin/git "$out$core/$name"; else cp -a "$part" "$out$core/"; fi
    add_libraries "$part"
  fi
done
[ -d /usr/share/git-core ] && mkdir -p "$out/usr/share" && cp -a /usr/share/git-core "$out/usr/share/"
rm -rf "$out/usr/share/git-core/contrib"

cp -L /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$out/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$out/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$out/etc/nsswitch.conf"

cp -a "$program/." "$out/usr/bin/"
for file in "$program"/*; do add_libraries "$file"; done
ln -s gitlab-runner-helper "$out/usr/bin/millrace"
# Libraries of the loader that ldd cannot see: name resolution.
for library in /lib/*/libnss_dns.so.2 /lib/*/libnss_files.so.2 /lib/*/libresolv.so.2; do
  [ -e "$library" ] && mkdir -p "$out$(dirname "$library")" && cp -L "$library" "$out$library"
done
true
