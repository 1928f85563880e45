#!/bin/sh
# start.sh DOOR: becomes nginx with the door of that name (doors/DOOR.conf). PACS_UPLOAD_MAX_MB limits a request's body;
# PACS_DASHBOARD, PACS_OHIF … say where people find the others: a port of the same host, or a whole origin.
# PACS_DOOR_PASSWORD is that of the account admin, for the door that asks for one itself.
set -eu
mkdir -p /tmp/door
echo "client_max_body_size ${PACS_UPLOAD_MAX_MB:-512}m;" > /tmp/door/limits.conf
printf '{"dashboard": "%s", "ohif": "%s", "orthanc": "%s", "dcm4chee": "%s", "xnat": "%s", "prometheus": "%s", "grafana": "%s"}\n' \
    "${PACS_DASHBOARD:-3000}" "${PACS_OHIF:-3001}" "${PACS_EXPLORER:-8042}" "${PACS_DCM4CHEE:-8082}" "${PACS_XNAT:-8081}" \
    "${PACS_PROMETHEUS:-9090}" "${PACS_GRAFANA:-3002}" > /tmp/door/doors.json
# Without a password there is no file, and nginx lets nobody in.
case ${PACS_DOOR_PASSWORD:-} in
    '') ;;
    *:*)
        echo "start.sh: PACS_DOOR_PASSWORD must hold no colon: choose another password." >&2
        exit 78
        ;;
    *) (umask 077 && printf 'admin:{PLAIN}%s\n' "$PACS_DOOR_PASSWORD" > /tmp/door/accounts) ;;
esac
ln -sf "/etc/nginx/pacs/doors/$1.conf" /tmp/door/door.conf
exec nginx -c /etc/nginx/pacs/nginx.conf -g 'daemon off;'
