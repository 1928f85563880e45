# shellcheck shell=bash
# ensure_base_images: the images everything is built on. Kept when present, pulled when a registry answers, else
# built as same-named stand-ins from the machine's Debian mirror. Sourced after common.sh, install-docker.sh, mirrors.sh.

POSTGRES_IMAGE=postgres:18
NGINX_IMAGE=nginx:1.30
NODE_IMAGE=node:24-slim
STAND_INS=$ROOT/scripts/base-images

ensure_base_images() {
    local registry=unknown
    ensure_image "$DEBIAN_IMAGE" build_debian
    ensure_image "$POSTGRES_IMAGE" build_stand_in postgres
    ensure_image "$NGINX_IMAGE" build_stand_in nginx
    ensure_image "$NODE_IMAGE" build_stand_in node
}

ARCHIVE_SERVICES="dcm4chee dcm4chee-ldap dcm4chee-mysql dcm4chee-setup dcm4chee-door"
RESEARCH_SERVICES="xnat xnat-postgres xnat-setup xnat-door"

# What profiles need beside. What has no Debian package is left out where no registry answers, and the rest runs without.
ensure_profile_images() {
    local registry=unknown
    if profile_is_on monitoring; then
        ensure_image prom/prometheus:v3.5.3 build_stand_in prometheus
        ensure_image prometheuscommunity/postgres-exporter:v0.19.1 build_stand_in postgres-exporter
        ensure_image prom/node-exporter:v1.11.1 build_stand_in node-exporter
        ensure_image nginx/nginx-prometheus-exporter:1.5.1 build_stand_in nginx-exporter
        ensure_images_of grafana grafana/grafana:12.3.0
    fi
    if profile_is_on archive; then
        ensure_images_of "$ARCHIVE_SERVICES" dcm4che/dcm4chee-arc-psql:5.35.1 dcm4che/slapd-dcm4chee:2.6.13-35.1 mysql:8.4
    fi
    if profile_is_on research; then
        ensure_images_of "$RESEARCH_SERVICES" tomcat:9.0-jdk8-temurin-noble postgres:16
    fi
}

# Services that cannot be started here.
LEFT_OUT=()

# ensure_images_of SERVICES IMAGE…: every image, or none of the services.
ensure_images_of() {
    local services=$1 image
    for image in "${@:2}"; do
        if have_image "$image"; then continue; fi
        leave_out "$services" "$image comes from a registry only, and none answers; docker save and docker load bring it too."
        return
    done
}

# leave_out SERVICES WHY: services that are not started this time.
leave_out() {
    warn "$2 Left out: $1. Everything else starts; ./pacs up tries again."
    # shellcheck disable=SC2206  # one word each
    LEFT_OUT+=($1)
}

# ensure_image IMAGE BUILDER NAME
ensure_image() {
    if have_image "$1"; then return; fi
    say "Building a stand-in for $1"
    "$2" "$1" "${3:-}"
}

# have_image IMAGE: it is there already, or comes from a registry.
have_image() {
    if run_docker image inspect "$1" > /dev/null 2>&1; then return; fi
    [[ $registry != unreachable ]] || return 1
    say "Pulling $1"
    if pull "$1"; then return; fi
    # One refusal is enough: the next image would come from the same place.
    registry=unreachable
    say "No registry answers"
    return 1
}

# True when the image came. Gives up after 15 s without an answer, yet lets a slow download take its time.
pull() {
    local log pid tick
    log=$(mktemp)
    run_docker pull "$1" > "$log" 2>&1 &
    pid=$!
    for ((tick = 0; tick < 150; tick++)); do
        if grep -q 'Pulling from' "$log" || ! kill -0 "$pid" 2> /dev/null; then break; fi
        sleep 0.1
    done
    grep -q 'Pulling from' "$log" || kill "$pid" 2> /dev/null || true
    rm -f "$log"
    wait "$pid" 2> /dev/null
}

build_debian() {
    local image=$1 mirror
    mirror=$(debian_mirror "$DEBIAN_SUITE") || fail "Neither an image registry nor a Debian mirror with '$DEBIAN_SUITE' answers:" \
        "set PACS_DEBIAN_MIRROR=http://your.mirror/debian in $ENV_FILE (or the environment) and run this again."
    if ! command -v debootstrap > /dev/null || [[ ! -r /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
        apt_install debootstrap debian-archive-keyring
    fi
    as_root env "PATH=$PATH:/usr/sbin:/sbin" "PACS_DEBIAN_KEYRING=$(setting PACS_DEBIAN_KEYRING)" \
        "$STAND_INS/debian-slim.sh" "$DEBIAN_SUITE" "$mirror" "$image" \
        || fail "The stand-in for $image could not be built from $mirror; the lines above say why."
}

build_stand_in() {
    local image=$1 folder=$STAND_INS/$2 log
    log=$(mktemp)
    run_docker build --tag "$image" "$folder" > "$log" 2>&1 || {
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "The stand-in for $image could not be built; the lines above say why."
    }
    rm -f "$log"
}
