#!/bin/sh
# Creates the cluster once, then becomes PostgreSQL. Honours what the official image documents and this project uses:
# POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (each also as *_FILE), PGDATA, /docker-entrypoint-initdb.d/*.sql and *.sh.
set -eu

read_setting() { # NAME DEFAULT: the variable, or the file that NAME_FILE names
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    [ -z "$file" ] || value=$(cat "$file")
    printf '%s' "${value:-$2}"
}

[ "${1:-postgres}" = postgres ] || [ "${1#-}" != "$1" ] || exec "$@"
[ "${1:-}" != postgres ] || shift

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=$(read_setting POSTGRES_USER postgres)
    password=$(read_setting POSTGRES_PASSWORD '')
    database=$(read_setting POSTGRES_DB "$user")
    [ -n "$password" ] || { echo "postgres: set POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE)." >&2; exit 1; }

    # Built beside its place and moved when whole: a start that is cut short begins again.
    new="$PGDATA.new"
    rm -rf "$new"
    mkdir -p "$new"
    chmod 0700 "$new"
    umask 077
    printf '%s\n' "$password" > /tmp/.initial-password
    initdb --pgdata="$new" --username="$user" --pwfile=/tmp/.initial-password --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=trust --auth-host=scram-sha-256
    rm -f /tmp/.initial-password
    echo "host all all all scram-sha-256" >> "$new/pg_hba.conf"
    echo "listen_addresses = '*'" >> "$new/postgresql.conf"

    # Not reachable from outside until it is complete.
    pg_ctl --pgdata="$new" --wait -o "-c listen_addresses=''" start
    export PGUSER="$user"
    [ "$database" = postgres ] || createdb "$database"
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) sh "$file" ;;
            *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc --dbname "$database" --file "$file" ;;
        esac
    done
    unset PGUSER
    pg_ctl --pgdata="$new" --wait --mode=fast stop
    mv "$new" "$PGDATA"
fi

exec postgres -D "$PGDATA" "$@"
