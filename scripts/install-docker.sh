# shellcheck shell=bash
# ensure_docker: an engine that answers and Compose v2, installed from the machine's own mirrors where they are missing.
# Sourced by up.sh and test.sh after common.sh.

ENGINE_STATE=/var/run
# An engine that finds many containers answers only when it has dealt with them all.
ENGINE_START_S=120

ensure_docker() {
    # A client alone, as some images bring it, has nothing to talk to: the engine is what counts.
    find_docker || engine_is_installed || install_engine
    find_docker || start_engine
    run_docker compose version > /dev/null 2>&1 || install_compose
    run_docker compose version > /dev/null 2>&1 \
        || fail "Docker Compose v2 does not start: see what 'docker compose version' says."
}

engine_is_installed() { PATH=$PATH:/usr/sbin:/sbin command -v dockerd > /dev/null; }

os_field() { (. /etc/os-release 2> /dev/null && eval "printf '%s' \"\${$1:-}\""); }

# debian or ubuntu, with derivatives left out: their package names and suites are not known here.
distribution() { os_field ID; }

refuse_unknown_system() {
    case $(distribution) in debian | ubuntu) command -v apt-get > /dev/null && return ;; esac
    fail "$1 is missing, and only Debian and Ubuntu are set up by this script:" \
        "install Docker Engine 20.10 or newer with Compose v2 (docs.docker.com/engine/install), then run ./pacs up again."
}

apt_refresh() {
    [[ -n ${APT_FRESH:-} ]] && return
    as_root apt-get update -qq || fail "'apt-get update' failed: correct the machine's package sources first."
    APT_FRESH=yes
}

apt_install() {
    apt_refresh
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

install_engine() {
    refuse_unknown_system Docker
    say "Installing Docker (docker.io, $(os_field PRETTY_NAME))"
    apt_refresh
    local packages=(docker.io iptables)
    # Newer releases split the command line off into its own package.
    if apt-cache show docker-cli > /dev/null 2>&1; then packages+=(docker-cli); fi
    apt_install "${packages[@]}"
    hash -r
}

install_compose() {
    refuse_unknown_system "Docker Compose v2"
    say "Installing Docker Compose v2"
    apt_refresh
    local package
    # The first that fits: Docker's own repository, Ubuntu's name, Debian's name (in bookworm that one is still v1).
    for package in docker-compose-plugin docker-compose-v2 docker-compose; do
        if apt-cache policy "$package" 2> /dev/null | grep -Eq 'Candidate: ([0-9]+:)?([2-9]|[1-9][0-9])\.'; then
            local builder=docker-buildx
            [[ $package == docker-compose-plugin ]] && builder=docker-buildx-plugin
            apt_install "$package" "$builder"
            return
        fi
    done
    [[ $(distribution) == debian ]] \
        || fail "No package with Docker Compose v2 was found: enable Ubuntu's 'universe' component and run ./pacs up again."
    install_compose_from trixie
}

# Debian 12 has Compose v1 only. The packages of the next release need nothing newer than its C library; they are fetched
# with a package list of our own, thrown away afterwards, so that the machine's apt never learns of the other release.
install_compose_from() {
    local suite=$1 mirror folder
    mirror=$(debian_mirror "$suite") || fail "Debian's $suite is on none of this machine's mirrors, and its Docker Compose v2 is" \
        "needed: name a full Debian mirror with PACS_DEBIAN_MIRROR=http://… in $ENV_FILE or the environment."
    folder=$(mktemp -d)
    # apt fetches as the user _apt.
    chmod 0755 "$folder"
    mkdir -p "$folder/lists/partial" "$folder/archives/partial" "$folder/packages"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$folder/sources.list"
    local own=(-o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache::archives=$folder/archives"
        -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o APT::Sandbox::User=root)
    as_root apt-get "${own[@]}" update -qq
    (cd "$folder/packages" && as_root apt-get "${own[@]}" download -qq docker-compose docker-buildx)
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$folder"/packages/*.deb > /dev/null
    as_root rm -rf "$folder"
}

start_engine() {
    say "Starting Docker"
    remove_stale_pid_files
    if [[ -d /run/systemd/system ]]; then
        as_root systemctl enable --now --quiet docker || true
    elif [[ -x /etc/init.d/docker ]]; then
        as_root service docker start > /dev/null 2>&1 || true
    fi
    wait_for_engine 15 && return
    # Neither init system took care of it (a container, a small virtual machine): run it directly.
    run_engine
    wait_for_engine "$ENGINE_START_S" && return
    # What a killed engine has left may hinder the new one. With a container's shim still there, it is needed.
    if ! runs dockerd && ! runs containerd-shim; then
        as_root rm -rf "$ENGINE_STATE/docker/containerd"
        run_engine
        wait_for_engine "$ENGINE_START_S" && return
    fi
    fail "Docker does not start: see /var/log/dockerd.log, /var/log/docker.log or 'journalctl -u docker'."
}

run_engine() {
    runs dockerd && return
    remove_stale_pid_files
    as_root sh -c 'setsid nohup dockerd > /var/log/dockerd.log 2>&1 < /dev/null &'
}

# dockerd refuses to start beside a process with the number in its file, whatever that process is by now.
remove_stale_pid_files() {
    local file name
    while read -r file name; do
        [[ ! -e $file ]] || is_process "$(cat "$file" 2> /dev/null)" "$name" || as_root rm -f "$file"
    done <<< "$ENGINE_STATE/docker.pid dockerd
$ENGINE_STATE/docker/containerd/containerd.pid containerd"
}

# is_process PID NAME: it is there, under this name, and not a zombie whom nobody buried.
is_process() {
    local name=''
    [[ $1 =~ ^[0-9]+$ ]] && { read -r name < "/proc/$1/comm"; } 2> /dev/null && [[ $name == "$2" ]] \
        && ! grep -q '^State:.Z' "/proc/$1/status" 2> /dev/null
}

# runs NAME: some process of this name (the kernel keeps 15 characters) runs.
runs() {
    local process
    for process in /proc/[0-9]*; do
        is_process "${process#/proc/}" "${1:0:15}" && return 0
    done
    return 1
}

wait_for_engine() {
    local attempt
    for ((attempt = 0; attempt < $1 * 2; attempt++)); do
        find_docker && return 0
        sleep 0.5
    done
    return 1
}
