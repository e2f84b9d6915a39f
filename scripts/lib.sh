# Functions shared by the scripts of this folder. Sourced, never run.
# shellcheck shell=bash

program="scripts/${0##*/}"

# Messages go to standard error; standard output is for results alone.
say() {
    printf '%s: %s\n' "$program" "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# Print the indented lines of a script's head, which show how it is called, and exit with 2.
usage() {
    sed -nE '2,/^[^#]/s/^#   +(scripts|bench)\//  \1\//p' "$1" >&2
    exit 2
}

# Print the whole head of a script, for --help.
print_head() {
    sed -n '2,/^[^#]/{/^[^#]/d;s/^# \{0,1\}//p}' "$1"
}

# Files that all checkouts of a user share.
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/latchkey

# Put npm on the PATH: the machine's own, or the one that install-packages has unpacked. Fails without either.
find_npm() {
    command -v npm >/dev/null && return
    [[ -x $cache/npm/bin/npm ]] && PATH=$cache/npm/bin:$PATH
}

# The first folder with the server programs of PostgreSQL, of the given major version or of any from 15 on.
postgres_programs() {
    local wanted=${1:-} folder version
    for folder in /usr/lib/postgresql/{15,16,17,18}/bin "$(dirname "$(command -v postgres || echo /)")"; do
        [[ -x $folder/postgres && -x $folder/initdb && -x $folder/pg_ctl ]] || continue
        version=$("$folder/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
        if [[ -n $wanted && $version == "$wanted" ]] || [[ -z $wanted && $version -ge 15 ]]; then
            echo "$folder"
            return 0
        fi
    done
    return 1
}
