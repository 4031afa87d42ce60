# Sourced by start_app.sh and tests/run.sh: finds Python and prepares the environment.
# Sets the variable `python` to the interpreter to use.

fail() {
    echo "$1" >&2
    exit 1
}

# Prints the first Python of at least 3.11, or nothing.
find_python() {
    local candidate
    for candidate in python3 python3.11 python3.12 python3.13 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

# unmet PYTHON FILE: prints the pins of FILE that PYTHON's packages do not meet.
unmet() {
    "$1" - "$2" <<'PYTHON'
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def pins(path: Path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from pins(path.parent / line[3:].strip())
        elif found := re.match(r"([\w.-]+)(?:\[[\w,]+\])?==(\S+)", line):
            yield found.groups()


for name, wanted in pins(Path(sys.argv[1])):
    try:
        # a local label such as +cu130 names the build, not another release
        if version(name).partition("+")[0] != wanted:
            print(f"{name}=={wanted}")
    except PackageNotFoundError:
        print(f"{name}=={wanted}")
PYTHON
}

# use_active FILE: takes the active environment as it is, if it meets FILE.
use_active() {
    python=$(command -v python || command -v python3) || fail "No Python is active."
    local missing
    missing=$(unmet "$python" "$1" | tr '\n' ' ')
    [ -z "$missing" ] || fail "The active environment lacks: $missing- install them, or start without --use-active."
}

# prepare FILE INSTALL: makes the environment and, when INSTALL is yes, installs FILE into it if it
# has changed since the last time. GLMTTS_VENV names another place, so that checkouts can share one.
prepare() {
    local file=$1 install=$2 folder=${GLMTTS_VENV:-.venv} base stamp wanted
    if [ ! -x "$folder/bin/python" ]; then
        [ "$install" = yes ] || fail "There is no environment in $folder: start once without --no-install."
        base=$(find_python)
        [ -n "$base" ] || fail "Python 3.11 or newer is needed: install it and start again."
        "$base" -m venv "$folder" || fail "The environment $folder cannot be made: check that the folder can be written and that Python's venv module is installed."
    fi
    python="$folder/bin/python"
    [ "$install" = yes ] || return 0
    stamp="$folder/.installed-$(basename "$file")"
    wanted=$(cat requirements*.txt | sha256sum)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "Installing $file into $folder (a first time takes some minutes and about 7 GB) ..."
        "$python" -m pip install --quiet --disable-pip-version-check -r "$file" \
            || fail "The packages could not be installed: see pip's message above, check the network and the free space, then start again."
        echo "$wanted" >"$stamp"
    fi
}
