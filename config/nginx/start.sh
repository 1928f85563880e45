#!/bin/sh
# start.sh DOOR: becomes nginx with the door of that name (doors/DOOR.conf). PACS_UPLOAD_MAX_MB limits a request's body.
set -eu
mkdir -p /tmp/door
echo "client_max_body_size ${PACS_UPLOAD_MAX_MB:-512}m;" > /tmp/door/limits.conf
ln -sf "/etc/nginx/pacs/doors/$1.conf" /tmp/door/door.conf
exec nginx -c /etc/nginx/pacs/nginx.conf -g 'daemon off;'
