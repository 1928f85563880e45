# shellcheck shell=bash
# ./pacs up: from a bare machine to a running stack. Every step finds out first whether it is needed.
# shellcheck source=scripts/install-docker.sh
. "$ROOT/scripts/install-docker.sh"
# shellcheck source=scripts/mirrors.sh
. "$ROOT/scripts/mirrors.sh"
# shellcheck source=scripts/base-images.sh
. "$ROOT/scripts/base-images.sh"
# shellcheck source=scripts/status.sh
. "$ROOT/scripts/status.sh"

PROFILES=(monitoring archive research)

up() {
    local profiles=()
    while [[ $# -gt 0 ]]; do
        case $1 in
            --profile)
                [[ " ${PROFILES[*]} " == *" ${2:-} "* ]] || fail "'${2:-}' is not a profile: choose from ${PROFILES[*]}."
                profiles+=("$2")
                shift 2
                ;;
            *) fail "'$1' is not an option of up: see ./pacs help." ;;
        esac
    done
    ensure_docker
    check_disk
    check_env_file
    choose_profiles "${profiles[@]}"
    check_ports
    ensure_base_images
    ensure_profile_images
    write_env_file
    remember_profiles "${profiles[@]}"
    copy_ca_certificates
    export_build_mirrors
    build_images
    export_profile_urls
    choose_services
    start_services
    wait_for_probes
    status
}

# Building needs room for images; starting what is built needs little.
check_disk() {
    local place free needed=${PACS_MIN_FREE_MB:-1024}
    if ! run_docker image inspect "$(project_name)-orthanc:dev" > /dev/null 2>&1; then needed=${PACS_MIN_FREE_MB:-5120}; fi
    for place in "$(run_docker info --format '{{.DockerRootDir}}')" "$ROOT"; do
        free=$(df --output=avail -BM "$place" 2> /dev/null | tail -n 1 | tr -dc '0-9') || continue
        [[ -z $free || $free -ge $needed ]] \
            || fail "Only $free MB are free at $place and $needed MB are needed: make room there" \
                "('docker system prune' removes unused images), then run ./pacs up again."
    done
}

# In force for this command; the environment goes before .env, here and in Compose.
choose_profiles() {
    local profile on
    on=$(setting COMPOSE_PROFILES)
    for profile in "$@"; do
        [[ ,$on, == *,"$profile",* ]] || on=${on:+$on,}$profile
    done
    [[ $# -eq 0 ]] || export COMPOSE_PROFILES=$on
}

# And in .env, so that every later command speaks of the same services.
remember_profiles() {
    [[ $# -gt 0 ]] || return 0
    grep -qx "COMPOSE_PROFILES=$COMPOSE_PROFILES" "$ENV_FILE" && return
    sed -i '/^COMPOSE_PROFILES=/d' "$ENV_FILE"
    printf 'COMPOSE_PROFILES=%s\n' "$COMPOSE_PROFILES" >> "$ENV_FILE"
    say "On from now on: COMPOSE_PROFILES=$COMPOSE_PROFILES in $ENV_FILE"
}

# What /api/status watches of a profile that is on, unless the operator named other addresses.
export_profile_urls() {
    if service_is_on monitoring prometheus; then
        export_setting PACS_PROMETHEUS_URL http://prometheus:9090/-/healthy
    fi
    if service_is_on monitoring grafana; then
        export_setting PACS_GRAFANA_URL http://grafana:3000/api/health
    fi
    # Forwarding goes to the archive by this modality, and to XNAT at this address.
    if service_is_on archive dcm4chee; then
        export_setting PACS_DCM4CHEE_URL http://dcm4chee:8080/dcm4chee-arc/ctrl/status
        export_setting PACS_DCM4CHEE_MODALITY dcm4chee
    fi
    if service_is_on research xnat; then
        export_setting PACS_XNAT_URL http://xnat:8080
    fi
}

# service_is_on PROFILE SERVICE: its profile is on, and it need not be left out on this machine.
service_is_on() { profile_is_on "$1" && [[ " ${LEFT_OUT[*]} " != *" $2 "* ]]; }

export_setting() {
    local value
    value=$(setting "$1" "$2")
    export "$1=$value"
}

# New secrets would lock us out of a database that was created with the old ones.
check_env_file() {
    [[ ! -e $ENV_FILE ]] || return 0
    if run_docker volume inspect "$(project_name)_postgres-data" > /dev/null 2>&1; then
        fail "There is data of an earlier installation (volume $(project_name)_postgres-data) but no $ENV_FILE:" \
            "put back the .env it was made with, or delete the data with" \
            "COMPOSE_PROJECT_NAME=$(project_name) ./pacs down --volumes."
    fi
}

check_ports() {
    local name port holder
    local names=(PACS_HTTP_PORT:8042 PACS_DICOM_PORT:4242 PACS_API_PORT:8000 PACS_DASHBOARD_PORT:3000
        PACS_OHIF_PORT:3001)
    ! profile_is_on monitoring || names+=(PACS_PROMETHEUS_PORT:9090 PACS_GRAFANA_PORT:3002)
    ! profile_is_on archive || names+=(PACS_DCM4CHEE_PORT:8082 PACS_DCM4CHEE_DICOM_PORT:11112 PACS_DCM4CHEE_HL7_PORT:2575)
    ! profile_is_on research || names+=(PACS_XNAT_PORT:8081 PACS_XNAT_DICOM_PORT:8104)
    for name in "${names[@]}"; do
        port=$(setting "${name%:*}" "${name#*:}")
        name=${name%:*}
        [[ $port =~ ^[0-9]+$ && $port -ge 1 && $port -le 65535 ]] \
            || fail "$name is '$port': it must be a port number from 1 to 65535."
        port_is_taken "$port" || continue
        [[ -z $(run_docker ps --quiet --filter "publish=$port" --filter "label=com.docker.compose.project=$(project_name)") ]] \
            || continue
        holder=$(run_docker ps --filter "publish=$port" --format 'the container {{.Names}}' | head -n 1)
        fail "Port $port is in use by ${holder:-$(process_on_port "$port")}: stop that, or choose another port with" \
            "$name=… in $ENV_FILE (or the environment), then run ./pacs up again."
    done
}

# Read from the kernel: neither ss nor netstat need be there. State 0A is LISTEN.
port_is_taken() {
    local hex
    printf -v hex ':%04X' "$1"
    awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2> /dev/null
}

process_on_port() {
    local name=''
    if command -v ss > /dev/null; then
        name=$(as_root ss -Hltnp "sport = :$1" 2> /dev/null | sed -n -E 's/.*users:\(\("([^"]+)",pid=([0-9]+).*/\1 (process \2)/p' | head -n 1)
    fi
    printf '%s' "${name:-another program}"
}

# .env from .env.example with random secrets; an existing one is only ever completed by secrets that are new.
write_env_file() {
    local name draft
    if [[ -e $ENV_FILE ]]; then
        while read -r name; do
            grep -q "^$name=" "$ENV_FILE" && continue
            printf '%s=%s\n' "$name" "$(random_secret "$name")" >> "$ENV_FILE"
            say "Added $name to $ENV_FILE (new in this version)"
        done < <(secret_names)
        return
    fi
    say "Writing $ENV_FILE with random passwords"
    draft=$(umask 077 && mktemp "$ENV_FILE.XXXXXX")
    cp "$ROOT/.env.example" "$draft"
    chmod 0600 "$draft"
    write_given_settings "$draft"
    while read -r name; do
        sed -i "s/^$name=\$/$name=$(random_secret "$name")/" "$draft"
    done < <(secret_names)
    # Written down, so that later builds do not ask the network again.
    if ! base_is_stand_in; then
        sed -i "s#^PACS_DEBIAN_MIRROR=\$#PACS_DEBIAN_MIRROR=$(debian_mirror "$DEBIAN_SUITE" || true)#" "$draft"
    fi
    # Started by sudo, the file still belongs to whoever owns the checkout.
    [[ $EUID -ne 0 ]] || chown --reference="$ROOT" "$draft"
    mv --no-clobber "$draft" "$ENV_FILE"
}

# What the environment says now must hold for the next command too: it goes into the new file.
write_given_settings() {
    local draft=$1 name line
    while read -r name; do
        [[ -n ${!name:-} ]] || continue
        line=$name=$(env_value "$name")
        LINE=$line awk -v start="$name=" '
            index($0, start) == 1 { $0 = ENVIRON["LINE"]; written = 1 }
            { print }
            END { if (!written) print ENVIRON["LINE"] }' "$draft" > "$draft.new"
        cat "$draft.new" > "$draft"
        rm -f "$draft.new"
    done < <(sed -n -E 's/^(# )?([A-Z0-9_]+)=.*/\2/p' "$ROOT/.env.example" | sort -u)
}

# The value of NAME as Compose and setting() read it; in quotes when it holds more than letters, digits and a few signs.
env_value() {
    local value=${!1}
    if [[ $value =~ ^[A-Za-z0-9_./:@%+,=-]+$ ]]; then
        printf '%s' "$value"
    elif [[ $value == *\'* || $value == *$'\n'* ]]; then
        fail "$1 must hold no single quote and no line break: choose another value."
    else
        printf "'%s'" "$value"
    fi
}

secret_names() { sed -n -E 's/^(PACS_[A-Z0-9_]*(PASSWORD|SECRET|KEY))=$/\1/p' "$ROOT/.env.example"; }

# A password that people may have to type, or 32 random bytes in base64 as URLs write it, which is what keys are made of.
random_secret() {
    case $1 in
        *PASSWORD) random_password ;;
        *) head -c 32 /dev/urandom | base64 | tr '+/' '-_' ;;
    esac
}

# 24 letters and digits: nothing that a shell, a URL or Orthanc's configuration could take for something else.
random_password() {
    local text=''
    while [[ ${#text} -lt 24 ]]; do text+=$(head -c 64 /dev/urandom | base64 | tr -dc 'a-zA-Z0-9'); done
    printf '%s' "${text:0:24}"
}

build_images() {
    say "Building the image (minutes the first time, seconds later)"
    build orthanc dashboard ohif || fail "The image could not be built; the lines above say why (the whole log: $BUILD_LOG)."
    # What these download comes from elsewhere than packages: that it cannot be had is no reason to start nothing.
    if service_is_on archive dcm4chee; then
        say "Building DCM4CHEE"
        build dcm4chee dcm4chee-mysql || leave_out "$ARCHIVE_SERVICES" "DCM4CHEE could not be built, see above."
    fi
    if service_is_on research xnat; then
        say "Building XNAT"
        build xnat || leave_out "$RESEARCH_SERVICES" "XNAT could not be built, see above."
    fi
}

# build SERVICE…: false with the last lines of the log when it cannot be built.
build() {
    BUILD_LOG=$(mktemp)
    compose --progress plain build "$@" > "$BUILD_LOG" 2>&1 || {
        tail -n 25 "$BUILD_LOG" >&2
        return 1
    }
    rm -f "$BUILD_LOG"
}

# Named only where one is left out: Compose would look for its image.
STARTED=()
choose_services() {
    [[ ${#LEFT_OUT[@]} -gt 0 ]] || return 0
    mapfile -t STARTED < <(compose config --services | grep -vxF "$(printf '%s\n' "${LEFT_OUT[@]}")")
}

start_services() {
    local service patience=180
    # XNAT makes its whole database at its first start, DCM4CHEE unpacks itself.
    if service_is_on archive dcm4chee || service_is_on research xnat; then patience=1200; fi
    say "Starting"
    compose --progress quiet up --detach --wait --wait-timeout "${PACS_START_TIMEOUT:-$patience}" --remove-orphans "${STARTED[@]}" || {
        for service in $(compose ps --all --services); do
            if [[ $(service_state "$service") == healthy ]]; then continue; fi
            printf '%s\n' "${BOLD}$service: $(service_state "$service")${PLAIN}" >&2
            compose logs --no-log-prefix --tail 15 "$service" >&2 || true
        done
        fail "Not every service became healthy; the log lines above say why. ./pacs logs SERVICE shows more."
    }
}
