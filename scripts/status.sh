# shellcheck shell=bash
# ./pacs status: one table of what runs, where, and who may sign in. Sourced after common.sh.

status() {
    require_stack
    local host bind probes containers settings_file shown="orthanc postgres dashboard ohif"
    settings_file=$(basename "$ENV_FILE")
    bind=$(setting PACS_BIND 0.0.0.0)
    host=$bind
    [[ $bind != 0.0.0.0 ]] || host=localhost
    containers=$(docker_states)
    probes=$(api_states)

    printf '\n'
    row SERVICE URL STATE "SIGN IN" "$BOLD"
    service_row orthanc "http://$host:$(setting PACS_HTTP_PORT 8042)" "admin, viewer: PACS_…_PASSWORD in $settings_file"
    row dicom "$host:$(setting PACS_DICOM_PORT 4242), AE title $(setting PACS_DICOM_AET ORTHANC)" "$(service_state orthanc)" "-"
    service_row door "http://$host:$(setting PACS_API_PORT 8000)/api/docs" "as for orthanc"
    # Docker looks at these more often than the plugins do, which began before them.
    row dashboard "http://$host:$(setting PACS_DASHBOARD_PORT 3000)" "$(service_state dashboard)" "as for orthanc"
    row ohif "http://$host:$(setting PACS_OHIF_PORT 3001)" "$(service_state ohif)" "as for orthanc"
    service_row postgres "not published" "PACS_POSTGRES_PASSWORD in $settings_file"
    if profile_is_on archive; then
        shown+=" dcm4chee"
        service_row dcm4chee "http://$host:$(setting PACS_DCM4CHEE_PORT 8082)/dcm4chee-arc/ui2" "admin: PACS_DCM4CHEE_PASSWORD in $settings_file"
        row "" "$host:$(setting PACS_DCM4CHEE_DICOM_PORT 11112), AE title DCM4CHEE; HL7 $(setting PACS_DCM4CHEE_HL7_PORT 2575)" "$(service_state dcm4chee)" "-"
    fi
    if profile_is_on research; then
        shown+=" xnat"
        service_row xnat "http://$host:$(setting PACS_XNAT_PORT 8081)" "admin: PACS_XNAT_PASSWORD in $settings_file"
        row "" "$host:$(setting PACS_XNAT_DICOM_PORT 8104), AE title XNAT" "$(service_state xnat)" "-"
    fi
    if profile_is_on monitoring; then
        shown+=" prometheus grafana"
        service_row prometheus "http://$host:$(setting PACS_PROMETHEUS_PORT 9090)" "-"
        service_row grafana "http://$host:$(setting PACS_GRAFANA_PORT 3002)" "admin: PACS_GRAFANA_PASSWORD in $settings_file"
    fi
    other_rows
    printf '\n'
}

# For ./pacs up: services are healthy before the plugins have probed them all. Waits for one more round and no longer.
wait_for_probes() {
    local interval containers probes deadline
    interval=$(setting PACS_PROBE_INTERVAL_S 10)
    interval=${interval%%.*}
    deadline=$((SECONDS + ${interval:-0} + 10))
    while ((SECONDS < deadline)); do
        containers=$(docker_states)
        probes=$(api_states)
        if [[ -n $probes ]] && ! grep -q ' starting$' <<< "$containers" && ! grep -Eq $'\t(degraded|down)\t' <<< "$probes"; then
            return
        fi
        sleep "${PACS_PROBE_PAUSE_S:-1}"
    done
}

row() { printf '%s%-12s %-46s %s %s%s\n' "${5:-}" "$1" "$2" "$(coloured "$3")" "$4" "${5:+$PLAIN}"; }

# The state in 12 columns; colour codes must not count.
coloured() {
    local colour=''
    case $1 in
        up | healthy) colour=$GREEN ;;
        degraded | starting) colour=$YELLOW ;;
        down | unhealthy | stopped | exited | restarting) colour=$RED ;;
    esac
    printf '%s%-12s%s' "$colour" "$1" "${colour:+$PLAIN}"
}

# What the plugins say goes first: they ask the service itself, Docker only its own probe.
service_row() {
    local state
    # Left out of a profile that is on, it is not configured; Docker says that it does not run.
    state=$(awk -F '\t' -v name="$1" '$1 == name && $2 != "not_configured" { print $2 }' <<< "$probes")
    row "$1" "$2" "${state:-$(service_state "$1")}" "$3"
}

# Configured services that have no row yet.
other_rows() {
    local name state reason
    while IFS=$'\t' read -r name state reason; do
        [[ -n $name && " $shown " != *" $name "* && $state != not_configured ]] || continue
        row "$name" "${reason:--}" "$state" ""
    done <<< "$probes"
}

# Service and state per line, as Docker sees it: healthy, starting, unhealthy, exited …
docker_states() {
    compose ps --all --format '{{.Service}} {{if .Health}}{{.Health}}{{else}}{{.State}}{{end}}' 2> /dev/null || true
}

service_state() {
    local state
    state=$(awk -v name="$1" '$1 == name { print $2 }' <<< "${containers:-$(docker_states)}")
    printf '%s' "${state:-stopped}"
}

# Name, state and reason per line from GET /api/status, asked inside the container so that the machine needs no client.
api_states() {
    compose exec -T orthanc python3 -I - 2> /dev/null < "$ROOT/scripts/status.py" || true
}
