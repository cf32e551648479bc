# Looks for the browser in which pages are proven, and for what usual programs pack archives with;
# scripts/setup.sh reads this file where its second word is `browser`. Students don't get it.
# shellcheck shell=bash

ensure_browser() { # never fails: without them those tests are skipped, and say so
    local program package
    for program in chromium:chromium /usr/share/javascript/mathjax:libjs-mathjax 7z:p7zip-full \
        bsdtar:libarchive-tools zip:zip; do
        package=${program##*:} program=${program%:*}
        [[ -e $program ]] || command -v "$program" >/dev/null && continue
        if can_use_apt && [[ ! -f $VENV/.no-$package ]]; then
            apt_install "$package" && continue
            touch "$VENV/.no-$package" # one slow attempt is enough
        fi
        say "$package, with which some tests prove more, is missing. This command installs it:"
        say "    sudo apt-get install -y $package"
    done
}

ensure_browser
