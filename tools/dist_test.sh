#!/usr/bin/env bash
# Tests with several processes: one per GPU, or GPUS processes on the CPU where
# there is no GPU. On several machines, run it on each with NNODES, NODE_RANK,
# MASTER_ADDR and PORT set.
set -eu

if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CKPT GPUS [OPTIONS of test.py]" >&2
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
    --nproc_per_node="$3" \
    "$TOOLS/test.py" "$1" "$2" --launcher pytorch "${@:4}"
