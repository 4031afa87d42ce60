#!/usr/bin/env bash
# Prepares the environment where needed, then runs every check: format, lint, types, layers, tests.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/environment.sh

# The tests see the settings that they make themselves.
venv=${GLMTTS_VENV:-.venv}
while IFS= read -r name; do unset "$name"; done < <(compgen -e GLMTTS_ || true)
GLMTTS_VENV=$venv

prepare requirements-dev.txt yes

if ! command -v chromium >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing chromium for the browser tests ..."
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends \
            chromium fonts-noto-cjk fonts-noto-color-emoji; } >/dev/null 2>&1 \
        || echo "chromium could not be installed: the browser tests will be skipped."
fi
command -v chromium >/dev/null || echo "SKIPPED: no chromium, so no test runs in a browser."
command -v cc >/dev/null || echo "SKIPPED: no C compiler, so no test runs against the NVML stub."

"$python" -m ruff format --check .
"$python" -m ruff check .
"$python" -m mypy
"$(dirname "$python")/lint-imports"
exec "$python" -m pytest "$@"
