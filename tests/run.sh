#!/usr/bin/env bash
# Prepares the environment where needed, then runs every check: format, lint, layers, types, tests.
#   bash tests/run.sh        everything
#   bash tests/run.sh fast   no test with a browser, the built-in voice or a child process
# Further arguments go to pytest, such as -n 0 to run all tests in one process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh

tier=all
if [ "${1:-}" = fast ]; then
    tier=fast
    shift
fi

# The tests see the settings that they make themselves.
venv=${GLMTTS_VENV:-.venv}
while IFS= read -r name; do unset "$name"; done < <(compgen -e GLMTTS_ || true)
GLMTTS_VENV=$venv
# Many children import the same packages: without their bytecode each takes twice as long.
unset PYTHONDONTWRITEBYTECODE

prepare requirements-dev.txt yes

if [ "$tier" = all ]; then
    if ! command -v chromium >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        echo "Installing chromium for the browser tests ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends \
                chromium fonts-noto-cjk fonts-noto-color-emoji; } >/dev/null 2>&1 \
            || echo "chromium could not be installed: the browser tests will be skipped."
    fi
    command -v chromium >/dev/null || echo "SKIPPED: no chromium, so no test runs in a browser."
    command -v cc >/dev/null || echo "SKIPPED: no C compiler, so no test runs against the NVML stub."
fi

"$python" -m ruff format --check .
"$python" -m ruff check .
"$(dirname "$python")/lint-imports"

# Types are checked beside the tests; what is found is shown after them.
types=$(mktemp)
"$python" -m mypy >"$types" 2>&1 &
mypy=$!
trap 'kill "$mypy" 2>/dev/null || true; rm -f "$types"' EXIT

failed=0
# part OPTIONS...: runs a part of the tests; that nothing of it was asked for (5) is no failure.
part() {
    local status=0
    "$python" -m pytest --tier "$tier" "$@" || status=$?
    case $status in
        0 | 5) ;;
        2) exit 2 ;; # by Ctrl+C, or a test file that cannot be imported
        *) failed=$status ;;
    esac
}
# a worker a core, but no more than the memory of a small machine holds
part --serial without -n logical --maxprocesses 4 --dist worksteal "$@"
wait "$mypy" || failed=$?
# what measures time or memory runs alone; nothing else has to be imported for it
mapfile -t measuring < <(grep -rl --include='test_*.py' 'mark\.serial' tests)
[ $# = 0 ] || measuring=()
part --serial only "${measuring[@]}" "$@" -n 0
cat "$types"
exit "$failed"
