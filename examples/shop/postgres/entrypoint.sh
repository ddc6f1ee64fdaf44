#!/bin/bash
# Makes the database on an empty volume, once, then serves it. Further arguments go to the server.
set -euo pipefail

volume=/var/lib/postgresql
data=$volume/data
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
password=${POSTGRES_PASSWORD:-}

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

# A fresh volume belongs to root.
chown postgres:postgres "$volume"
install -d -o postgres -g postgres -m 2775 /run/postgresql

if [ ! -d "$data" ]; then
    # Made beside its place and renamed when whole: a start that was cut short begins anew.
    fresh=$volume/data.new
    rm -rf "$fresh"
    as_postgres initdb --no-instructions --pgdata="$fresh" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8
    # Only the environment's private network leads here, and psql shall not ask.
    echo "host all all all trust" >> "$fresh/pg_hba.conf"

    as_postgres pg_ctl --pgdata="$fresh" --wait --options="-c listen_addresses=''" start
    as_postgres psql --username=postgres --dbname=postgres --no-psqlrc --quiet \
        --set=ON_ERROR_STOP=1 --set=user="$user" --set=database="$database" --set=password="$password" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', :'user') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'user', :'password') WHERE :'password' <> '' \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'user')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
SQL
    as_postgres pg_ctl --pgdata="$fresh" --wait --mode=fast stop
    mv "$fresh" "$data"
fi

# No server runs yet in this container, so a lock left by a killed one means nothing; its pid may even be alive here as another process.
rm -f "$data/postmaster.pid"

# SIGTERM would let the server wait for its clients to leave; SIGINT makes it end their sessions and stop cleanly at once.
setpriv --reuid=postgres --regid=postgres --init-groups -- postgres -D "$data" -c listen_addresses='*' "$@" &
server=$!
trap 'kill -INT "$server"' TERM INT
status=0
wait "$server" || status=$?
# A signal ends the first wait early; the second one gives the server's own status.
if kill -0 "$server" 2>/dev/null; then
    status=0
    wait "$server" || status=$?
fi
exit "$status"
