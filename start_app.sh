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

host=127.0.0.1
port=7860
install=yes
active=no
while [ $# -gt 0 ]; do
    case $1 in
        --host | --port)
            [ $# -ge 2 ] || fail "$1 needs a value."
            [ "$1" = --host ] && host=$2 || port=$2
            shift
            ;;
        --cpu) export GLMTTS_DEVICE=cpu CUDA_VISIBLE_DEVICES="" ;;
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
if [[ ! $port =~ ^[0-9]{1,5}$ ]] || ((10#$port < 1 || 10#$port > 65535)); then
    fail "--port $port is no port number: choose one from 1 to 65535, such as 7860."
fi

if [ "$active" = yes ]; then
    use_active requirements.txt
else
    prepare requirements.txt "$install"
fi

# a setting, device or address that cannot be used stops the start here, before one is printed
run "$python" -m glmtts_core.cli.start_check "$host" "$port"

case $host in
    *:*) echo "GLM-TTS Studio: http://[$host]:$port" ;;
    *) echo "GLM-TTS Studio: http://$host:$port" ;;
esac
# exec: signals reach the program itself, and nothing is left behind when it ends
exec "$python" -m glmtts_core.ui.serve "$host" "$port"
