# shellcheck shell=bash
# Which package mirrors this machine uses, read from its own apt, pip and npm configuration. Sourced after common.sh.

# debian_mirror SUITE: the first of the machine's apt sites that has this Debian suite; PACS_DEBIAN_MIRROR goes first.
debian_mirror() {
    local suite=$1 site file
    command -v apt-get > /dev/null || return 1
    file=$(mktemp)
    while read -r site; do
        # apt's own downloader: it knows the machine's proxies, certificates and passwords.
        if /usr/lib/apt/apt-helper download-file "$site/dists/$suite/Release" "$file" > /dev/null 2>&1 \
            && grep -q '^Origin: Debian$' "$file"; then
            rm -f "$file"
            printf '%s' "$site"
            return 0
        fi
    done < <(apt_sites)
    rm -f "$file"
    return 1
}

apt_sites() {
    local site list
    site=$(setting PACS_DEBIAN_MIRROR)
    if [[ -n $site ]]; then
        printf '%s\n' "${site%/}"
        return
    fi
    # shellcheck disable=SC2016  # the format is apt's
    apt-get indextargets --format '$(SITE)' 2> /dev/null | sort -u | while read -r site; do
        case $site in
            *security*) ;;
            mirror+file:*) # cloud images name a file that lists the mirrors
                list=${site#mirror+file:}
                [[ -r $list ]] && sed -n -E 's#^(https?://[^[:space:]]+).*#\1#p' "$list" | sed 's#/$##' ;;
            http://* | https://*) printf '%s\n' "${site%/}" ;;
        esac
    done
}

# pip_setting NAME: the http(s) addresses of pip's index-url or extra-index-url; local folders mean nothing inside a build.
pip_setting() {
    local pip address kept=''
    for pip in pip3 pip; do
        command -v "$pip" > /dev/null || continue
        for address in $("$pip" config list 2> /dev/null | sed -n -E "s/^(:env:|global|install)\.$1='(.*)'$/\2/p" | tail -n 1); do
            [[ $address == http://* || $address == https://* ]] && kept+="${kept:+ }$address"
        done
        break
    done
    printf '%s' "$kept"
}

# The npm registry of this machine; empty where there is no npm, and npm's own default holds.
npm_registry() {
    local address
    command -v npm > /dev/null || return 0
    address=$(npm config get registry 2> /dev/null) || return 0
    if [[ $address == http://* || $address == https://* ]]; then printf '%s' "$address"; fi
}

# Their addresses become build arguments of docker-compose.yml, unless the operator chose others.
# Debian's mirror is not looked up here: a build argument that depends on the network would rebuild the image offline.
export_build_mirrors() {
    export PACS_PIP_INDEX_URL PACS_PIP_EXTRA_INDEX_URL PACS_NPM_REGISTRY
    PACS_PIP_INDEX_URL=${PACS_PIP_INDEX_URL-$(setting PACS_PIP_INDEX_URL "$(pip_setting index-url)")}
    PACS_PIP_EXTRA_INDEX_URL=${PACS_PIP_EXTRA_INDEX_URL-$(setting PACS_PIP_EXTRA_INDEX_URL "$(pip_setting extra-index-url)")}
    PACS_NPM_REGISTRY=${PACS_NPM_REGISTRY-$(setting PACS_NPM_REGISTRY "$(npm_registry)")}
}

# True when the base image came from the machine's own mirror already.
base_is_stand_in() {
    [[ $(run_docker image inspect --format '{{index .Config.Labels "org.pacs.stand-in"}}' "$DEBIAN_IMAGE" 2> /dev/null) == true ]]
}

# The private authorities this machine trusts go into the image, unless the operator has put some there.
copy_ca_certificates() {
    local folder=$ROOT/config/ca-certificates
    compgen -G "$folder/*.crt" > /dev/null && return
    compgen -G '/usr/local/share/ca-certificates/*.crt' > /dev/null || return 0
    cp /usr/local/share/ca-certificates/*.crt "$folder/"
    chmod 0644 "$folder"/*.crt
}
