#!/bin/sh
# Becomes Tomcat with XNAT in it, told where its database is. XNAT reads files only: this one is its user's alone.
set -eu
umask 077
mkdir -p "$XNAT_HOME/config"
cat > "$XNAT_HOME/config/xnat-conf.properties" << END
datasource.driver=org.postgresql.Driver
datasource.url=jdbc:postgresql://${XNAT_POSTGRES_HOST:-xnat-postgres}/xnat
datasource.username=xnat
datasource.password=${XNAT_POSTGRES_PASSWORD:?the password of the database xnat}
hibernate.dialect=org.hibernate.dialect.PostgreSQL9Dialect
hibernate.hbm2ddl.auto=update
hibernate.show_sql=false
hibernate.cache.use_second_level_cache=true
hibernate.cache.use_query_cache=true
END
exec catalina.sh run
