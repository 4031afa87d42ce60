#!/usr/bin/env bash
# Prepares the environment where needed and starts GLM-TTS Studio.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/environment.sh

usage="Usage: bash start_app.sh [--host H] [--port P] [--cpu] [--no-install] [--use-active]
  --host H       address to listen on (default 127.0.0.1: this machine only)
  --port P       port to listen on (default 7860)
  --cpu          do not use a GPU
  --no-install   use the environment as it is, install nothing
  --use-active   use the active environment if it has what is needed"

options=()
install=yes
active=no
while [ $# -gt 0 ]; do
    case $1 in
        --host | --port)
            [ $# -ge 2 ] || fail "$1 needs a value."
            options+=("$1" "$2")
            shift
            ;;
        --cpu) options+=("$1") ;;
        --no-install) install=no ;;
        --use-active) active=yes ;;
        -h | --help)
            echo "$usage"
            exit 0
            ;;
        *) fail "There is no option $1.
$usage" ;;
    esac
    shift
done

if [ "$active" = yes ]; then
    use_active requirements.txt
else
    prepare requirements.txt "$install"
fi

# exec: signals reach the program itself, and nothing is left behind when it ends
exec "$python" glmtts_inference.py start ${options[@]+"${options[@]}"}
