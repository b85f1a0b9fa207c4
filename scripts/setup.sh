#!/usr/bin/env bash
# Installs what legato needs and this machine lacks: a C compiler and make (CFITSIO is built from the
# source that its crate carries) and a Vulkan loader with a driver. Rust itself is only checked for.
#
# It must stay idempotent: it looks before it acts, so where nothing is missing it installs nothing, needs no
# network and no root, and says nothing. `make` runs it before every build and test.
set -euo pipefail

# ldconfig is in /sbin, which ordinary users may not have; rustup's cargo may not be on the path yet.
PATH=$PATH:/usr/sbin:/sbin:${CARGO_HOME:-${HOME:-}/.cargo}/bin

say() { echo "setup: $*" >&2; }
die() {
    say "$@"
    exit 1
}

have_cargo() { command -v cargo >/dev/null; }

# A compiler without the C library's headers does not count.
have_compiler() { echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1; }

have_make() { command -v make >/dev/null; }

# Whether the dynamic linker finds the shared library $1.
have_library() {
    local folder
    ldconfig -p 2>/dev/null | grep -F "$1 (" >/dev/null && return
    while IFS= read -r -d : folder; do
        [ -n "$folder" ] && [ -e "$folder/$1" ] && return
    done <<<"${LD_LIBRARY_PATH:-}:"
    return 1
}

have_loader() { have_library libvulkan.so.1; }

# Whether the driver manifest $1 names a library that exists; a bare file name is left to the linker.
usable_manifest() {
    local library
    [ -f "$1" ] || return 1
    library=$(sed -n 's/.*"library_path"[^"]*"\([^"]*\)".*/\1/p' "$1" | head -n 1)
    case $library in
        "") return 1 ;;
        /*) [ -e "$library" ] ;;
        */*) [ -e "$(dirname "$1")/$library" ] ;;
        *) have_library "$library" ;;
    esac
}

# Whether one of the given manifests, or manifests in the given folders, is usable.
any_driver() {
    local place manifest
    for place in "$@"; do
        if [ -d "$place" ]; then
            for manifest in "$place"/*.json; do
                usable_manifest "$manifest" && return
            done
        else
            usable_manifest "$place" && return
        fi
    done
    return 1
}

# The manifests that the environment names in place of the system's: the loader looks nowhere else then.
chosen_drivers() { echo "${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}"; }

# Looks where the Vulkan loader looks, in its order.
have_driver() {
    local places roots root
    IFS=: read -r -a places <<<"$(chosen_drivers)"
    if [ ${#places[@]} -eq 0 ]; then
        IFS=: read -r -a roots <<<"${XDG_CONFIG_HOME:-${HOME:-}/.config}:${XDG_CONFIG_DIRS:-/etc/xdg}:/usr/local/etc:/etc:${XDG_DATA_HOME:-${HOME:-}/.local/share}:${XDG_DATA_DIRS:-/usr/local/share:/usr/share}"
        IFS=: read -r -a places <<<"${VK_ADD_DRIVER_FILES:-}"
        for root in "${roots[@]}"; do
            places+=("$root/vulkan/icd.d")
        done
    fi
    any_driver "${places[@]}"
}

# The package manager's table: what a need ($1) is called there. Mesa's package holds lavapipe, the driver
# that needs no GPU.
packages() {
    case $manager:$1 in
        apt:compiler) echo gcc libc6-dev ;;
        apt:make) echo make ;;
        apt:loader) echo libvulkan1 ;;
        apt:driver) echo mesa-vulkan-drivers ;;
        dnf:compiler) echo gcc ;;
        dnf:make) echo make ;;
        dnf:loader) echo vulkan-loader ;;
        dnf:driver) echo mesa-vulkan-drivers ;;
        pacman:compiler) echo gcc ;;
        pacman:make) echo make ;;
        pacman:loader) echo vulkan-icd-loader ;;
        pacman:driver) echo vulkan-swrast ;;
    esac
}

reason() {
    case $1 in
        compiler) echo "a C compiler, which builds CFITSIO" ;;
        make) echo "make, which builds CFITSIO" ;;
        loader) echo "the Vulkan loader, through which the GPU is reached" ;;
        driver) echo "a Vulkan driver, which also computes where there is no GPU" ;;
    esac
}

install_packages() {
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null ||
            die "this needs root, and sudo without a password is not possible; as root, with $manager, install: $*"
        root=(sudo -n)
    fi
    case $manager in
        apt)
            # Without recommended packages Mesa stays small; another apt may hold the lock for a while.
            root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
            "${root[@]}" update || say "apt-get update failed, at least in part; going on with the lists at hand"
            "${root[@]}" install -y --no-install-recommends "$@" >/dev/null
            ;;
        dnf) "${root[@]}" dnf install -q -y --setopt=install_weak_deps=False "$@" >/dev/null ;;
        # Arch supports no partial upgrades, and upgrading a whole system is its owner's decision: no -y here.
        pacman)
            "${root[@]}" pacman -S --needed --noconfirm --noprogressbar "$@" >/dev/null ||
                die "pacman's lists are missing or old, it seems: run pacman -Syu, then this again"
            ;;
    esac
}

find_manager() {
    local tool
    for tool in apt-get dnf pacman; do
        if command -v "$tool" >/dev/null; then
            echo "${tool%-get}"
            return
        fi
    done
}

missing() {
    local need
    for need in compiler make loader driver; do
        "have_$need" || echo "$need"
    done
}

setup_linux() {
    local need needs package wanted=()
    needs=$(missing)
    [ -n "$needs" ] || return 0
    if ! have_driver && [ -n "$(chosen_drivers)" ]; then
        die "VK_DRIVER_FILES or VK_ICD_FILENAMES is set to $(chosen_drivers), where no usable driver is; correct or unset it"
    fi

    manager=$(find_manager)
    for need in $needs; do
        if [ -z "$manager" ]; then
            say "missing: $(reason "$need")"
            continue
        fi
        say "installing $(packages "$need"): $(reason "$need")"
        for package in $(packages "$need"); do
            wanted+=("$package")
        done
    done
    [ -n "$manager" ] || die "none of apt-get, dnf and pacman is here; install these by hand, then run this again"
    install_packages "${wanted[@]}"

    needs=$(missing)
    [ -z "$needs" ] || die "installed ${wanted[*]}, but still missing: ${needs//$'\n'/, }"
}

check_rust() {
    have_cargo && return
    say "cargo is missing. Rust comes with rustup, without root, from https://rustup.rs:"
    say "    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
    die "then open a new shell and run this again; rust-toolchain.toml chooses the version"
}

case $(uname -s) in
    Linux)
        check_rust
        setup_linux
        ;;
    Darwin)
        check_rust
        have_compiler || die "cc is missing: run 'xcode-select --install'; nothing else is needed, Metal is part of macOS"
        ;;
    MINGW* | MSYS* | CYGWIN*)
        check_rust
        if ! have_make || ! have_compiler; then
            say "CFITSIO's build needs make and cc, in MSYS2: pacman -S make mingw-w64-x86_64-gcc; nothing else, DirectX 12 is part of Windows"
        fi
        ;;
    *) die "$(uname -s) is not known here; needed are cargo, cc, make and a Vulkan, Metal or DirectX 12 driver" ;;
esac
