#!/bin/bash
# Serves the volume at /data. Further arguments go to the server.
set -euo pipefail

# A fresh volume belongs to root.
mkdir -p /data
chown redis:redis /data

# Only the environment's private network leads here, so there is neither password nor protected mode.
exec setpriv --reuid=redis --regid=redis --init-groups -- \
    redis-server --bind 0.0.0.0 --protected-mode no --dir /data --appendonly yes --daemonize no "$@"
