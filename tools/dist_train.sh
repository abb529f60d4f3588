#!/usr/bin/env bash
# Trains with several processes: one per GPU, or GPUS processes on the CPU where
# there is no GPU. On several machines, run it on each with NNODES, NODE_RANK,
# MASTER_ADDR and PORT set. Where a process dies, torchrun starts all of them again,
# MAX_RESTARTS times (default: 0), from the last checkpoint.
set -eu

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG GPUS [OPTIONS of train.py]" >&2
    exit 2
fi
TOOLS=$(dirname "$0")
PYTHON=${PYTHON:-python}
if ! "$PYTHON" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' 2>/dev/null; then
    echo "$0: $PYTHON has no torch: activate the environment, or set PYTHON=.venv/bin/python" >&2
    exit 2
fi

PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" exec "$PYTHON" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$2" \
    --max_restarts="${MAX_RESTARTS:-0}" \
    "$TOOLS/train.py" "$1" --launcher pytorch "${@:3}"
