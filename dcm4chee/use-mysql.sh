#!/bin/sh
# use-mysql.sh [ROOT]: the last step of the image: WildFly's data source PacsDS speaks to MySQL instead of PostgreSQL. ROOT
# stands before every path. Fails when the image is not as this script knows it, rather than start an archive on no database.
set -eu
root=${1:-}

patched=0
for file in "$root"/docker-entrypoint.d/configuration/dcm4chee-arc*.xml; do
    grep -q 'jndi-name="java:/PacsDS"' "$file" || continue
    sed -i -E \
        -e 's#jdbc:postgresql://#jdbc:mysql://#' \
        -e 's#env\.POSTGRES_#env.MYSQL_#g' \
        -e 's#(env\.MYSQL_PORT):5432#\1:3306#' \
        -e 's#<driver>psql</driver>#<driver>mysql</driver>#' \
        -e 's#<driver name="psql" module="org\.postgresql"#<driver name="mysql" module="com.mysql"#' \
        -e 's#org\.postgresql\.Driver#com.mysql.cj.jdbc.Driver#' \
        -e 's#org\.postgresql\.xa\.PGXADataSource#com.mysql.cj.jdbc.MysqlXADataSource#' \
        -e 's#extensions\.postgres\.PostgreSQL#extensions.mysql.MySQL#' \
        "$file"
    if grep -i -n -E 'postgres|psql' "$file" >&2; then
        echo "use-mysql.sh: ${file##*/} still speaks of PostgreSQL in the lines above: teach this script about them." >&2
        exit 1
    fi
    patched=$((patched + 1))
done
if [ "$patched" -eq 0 ]; then
    echo "use-mysql.sh: no configuration of WildFly has the data source PacsDS: is this an image of dcm4chee-arc-psql?" >&2
    exit 1
fi

rm "$root"/docker-entrypoint.d/deployments/*-psql*.ear
if ! ls "$root"/docker-entrypoint.d/deployments/*-mysql*.ear > /dev/null; then
    echo "use-mysql.sh: the distribution brought no EAR for MySQL." >&2
    exit 1
fi
