# Sourced by start_app.sh and tests/run.sh: finds Python and prepares the environment.
# Sets the variable `python` to the interpreter to use.

fail() {
    echo "$1" >&2
    exit 1
}

# run COMMAND...: runs it and returns its status; a signal that ends this script ends it too, at
# once. (Without this, a shell that waits for a command leaves it behind, or waits for its end.)
run() {
    local status=0
    "$@" <&0 &
    child=$!
    trap 'end_child 130' INT
    trap 'end_child 143' TERM
    trap 'end_child 129' HUP
    wait "$child" || status=$?
    trap - INT TERM HUP
    return "$status"
}

end_child() {
    kill -TERM "$child" 2>/dev/null || true
    exit "$1"
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

# hash_of_requirements PYTHON: prints a number that changes when a list of requirements does.
hash_of_requirements() {
    "$1" - requirements*.txt <<'PYTHON'
import hashlib
import sys
from pathlib import Path

lists = b"".join(Path(name).read_bytes() for name in sys.argv[1:])
print(hashlib.sha256(lists).hexdigest())
PYTHON
}

# make_environment FOLDER: makes the environment, also over one that was left half made.
make_environment() {
    local base
    base=$(find_python)
    [ -n "$base" ] || fail "Python 3.11 or newer is needed: install it and start again."
    run "$base" -m venv --clear "$1" || fail "The environment $1 cannot be made: check that the folder can be written and that Python's venv module is installed."
}

# may_be_cleared FOLDER: whether the folder is an environment, without a file or not there at all.
may_be_cleared() {
    [ -e "$1/pyvenv.cfg" ] || [ -z "$(find "$1" -type f -print -quit 2>/dev/null)" ]
}

# prepare FILE INSTALL: makes the environment and, when INSTALL is yes, installs FILE into it if it
# has changed since the last time. GLMTTS_VENV names another place, so that checkouts can share one.
prepare() {
    local file=$1 install=$2 folder=${GLMTTS_VENV:-.venv} stamp wanted
    python="$folder/bin/python"
    if [ "$install" != yes ]; then
        [ -x "$python" ] || fail "There is no environment in $folder: start once without --no-install."
        return 0
    fi
    stamp="$folder/.installed-$(basename "$file")"
    wanted=$(hash_of_requirements "$python" 2>/dev/null) || wanted=""
    if [ -n "$wanted" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return 0
    fi
    # a first start that was interrupted leaves an environment without pip
    if ! "$python" -m pip --version >/dev/null 2>&1; then
        may_be_cleared "$folder" || fail "$folder is no Python environment, and something else lies there: name another place with GLMTTS_VENV."
        make_environment "$folder"
        wanted=$(hash_of_requirements "$python")
    fi
    echo "Installing $file into $folder (a first time takes some minutes and about 7 GB) ..."
    # bytecode is made at the first import of each module: compiling all of the packages' files now
    # takes about a minute, and most are never imported
    run "$python" -m pip install --quiet --disable-pip-version-check --no-compile -r "$file" \
        || fail "The packages could not be installed: see pip's message above, check the network and the free space, then start again."
    echo "$wanted" >"$stamp"
}
