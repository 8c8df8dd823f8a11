# Shared by scripts/demo and scripts/test: a private environment in .venv, made once.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv

# Caches stay inside the checkout, and settings of an activated environment must not leak in.
export XDG_CACHE_HOME=$venv/cache PIP_CACHE_DIR=$venv/cache/pip UV_CACHE_DIR=$venv/cache/uv
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_REQUIRE_VIRTUALENV=0
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV CONDA_PREFIX PIP_TARGET PIP_PREFIX PIP_USER

stop() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit 5
}

# Prints the first Python >= 3.10 found; $PYTHON wins.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python python3.14 python3.13 python3.12 python3.11 python3.10}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    stop "no Python >= 3.10 was found. Install one, or name it: PYTHON=/path/to/python3.12 $0"
}

# make_venv FOLDER: a virtual environment, also where Debian left ensurepip out.
make_venv() {
    local python log
    log=$(mktemp)
    python=$(find_python)
    [ -n "$python" ] || exit 5
    if "$python" -m venv --clear "$1" >"$log" 2>&1; then
        rm -f "$log"
        return
    fi
    if "$python" -m venv --clear --without-pip "$1" >>"$log" 2>&1 &&
        "$python" -m pip --python "$1/bin/python" install -q pip >>"$log" 2>&1; then
        rm -f "$log"
        return
    fi
    cat "$log" >&2
    rm -rf "$log" "$1"
    stop "$python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"
}

# install FOLDER WORD...: pip install WORD... there, unless the same was done before.
install() {
    local folder=$1 wanted stamp
    shift
    wanted=$(cat "$root/pyproject.toml"; printf '%s\n' "$@")
    stamp=$folder/.installed-$(cksum <<<"$wanted" | cut -d' ' -f1)
    if [ -f "$stamp" ] && "$folder/bin/python" -c '' 2>/dev/null; then
        return
    fi
    if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
        make_venv "$folder"
    fi
    printf 'installing %s into %s ...\n' "$*" "${folder#"$root"/}" >&2
    (cd "$root" && "$folder/bin/python" -m pip install -qq "$@" </dev/null) ||
        stop "pip could not install $*: see its message above (is the package index reachable?)"
    : >"$stamp"
}

command -v git >/dev/null || stop "git was not found. Install it first."
