# shellcheck shell=bash disable=SC2034
# What every step of ./pacs shares: messages, settings, and how to call Docker. Sourced, never run.
set -Eeuo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
ENV_FILE=${PACS_ENV_FILE:-$ROOT/.env}
DEBIAN_SUITE=forky
DEBIAN_IMAGE=debian:$DEBIAN_SUITE-slim

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    BOLD=$'\e[1m' GREEN=$'\e[32m' YELLOW=$'\e[33m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
    BOLD='' GREEN='' YELLOW='' RED='' PLAIN=''
fi

say() { printf '%s\n' "${BOLD}==>${PLAIN} $*"; }
warn() { printf '%s\n' "${YELLOW}warning:${PLAIN} $*" >&2; }

# fail WHAT-AND-REMEDY: one sentence, then the end.
fail() {
    trap - ERR
    printf '%s\n' "${RED}pacs:${PLAIN} $*" >&2
    exit 1
}

# A command that nobody expected to fail: say which, and where to look, instead of a bare exit code.
unexpected_failure() {
    local code=$? command=$BASH_COMMAND
    trap - ERR
    printf '%s\n' "${RED}pacs:${PLAIN} '${command%%$'\n'*}' failed (exit code $code); the lines above say why." \
        "      Correct that and run the same command again: what is already done is kept." >&2
    exit "$code"
}
trap unexpected_failure ERR

# as_root COMMAND…: directly, or with sudo.
as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo "$@"
    else
        fail "'$1' needs administrator rights: run this as root, or install sudo."
    fi
}

# The value of NAME: from the environment, else from .env, else DEFAULT (the order Compose has too).
setting() {
    local name=$1 default=${2:-} line
    if [[ -n ${!name:-} ]]; then
        printf '%s' "${!name}"
        return
    fi
    line=$(grep -E "^$name=" "$ENV_FILE" 2> /dev/null | tail -n 1 || true)
    line=${line#*=}
    line=${line%$'\r'}
    if [[ $line =~ ^\"(.*)\"$ || $line =~ ^\'(.*)\'$ ]]; then line=${BASH_REMATCH[1]}; fi
    printf '%s' "${line:-$default}"
}

project_name() { setting COMPOSE_PROJECT_NAME pacs; }

# Docker directly, or with sudo for a user who is not in the docker group.
DOCKER=(docker)
# Without descriptor 9, the lock of ./pacs test: a client that outlives this script must not keep it.
run_docker() { "${DOCKER[@]}" "$@" 9>&-; }

docker_answers() { run_docker version --format '{{.Server.Version}}' > /dev/null 2>&1; }

# Chooses how to call Docker; false when no engine answers either way.
find_docker() {
    command -v docker > /dev/null || return 1
    DOCKER=(docker)
    docker_answers && return 0
    if [[ $EUID -ne 0 ]] && command -v sudo > /dev/null; then
        DOCKER=(sudo --preserve-env docker)
        docker_answers && return 0
    fi
    return 1
}

# profile_is_on NAME: is it among COMPOSE_PROFILES (in .env, where ./pacs up --profile writes it)?
profile_is_on() { [[ ,$(setting COMPOSE_PROFILES), == *,"$1",* ]]; }

compose() {
    COMPOSE_PROFILES=$(setting COMPOSE_PROFILES) run_docker compose --project-directory "$ROOT" --file "$ROOT/docker-compose.yml" --env-file "$ENV_FILE" \
        --project-name "$(project_name)" "$@"
}

# For commands that look at a stack and must not install or start anything.
require_stack() {
    find_docker || fail "Docker does not answer: run ./pacs up, which installs and starts it."
    [[ -r $ENV_FILE ]] || fail "There is no $ENV_FILE that you may read: run ./pacs up first, or use sudo."
}

# container_of SERVICE: the id of its running container, empty when there is none.
container_of() { compose ps --quiet --status running "$1" 2> /dev/null | head -n 1; }
