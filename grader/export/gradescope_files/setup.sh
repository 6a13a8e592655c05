#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: Python, the pinned packages, and MNIST.
set -euo pipefail

root=${AUTOGRADER_ROOT:-/autograder}
source=$root/source
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# The first Python that is new enough and can make a virtual environment.
usable_python() {
    for name in python3.14 python3.13 python3.12 python3.11 python3; do
        if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

install_python() {
    apt-get install -y -qq --no-install-recommends "python$1" "python$1-venv" >/dev/null 2>&1
}

# Ubuntu 22.04, Gradescope's default, has Python 3.10 and a release candidate of 3.11: there, 3.12 is taken
# from the archive that Ubuntu's own tool knows as ppa:deadsnakes/ppa.
get_python() {
    apt-get update -qq
    if install_python 3.13 || install_python 3.12; then return; fi
    if grep -qs '^ID=ubuntu' /etc/os-release; then
        command -v add-apt-repository >/dev/null || apt-get install -y -qq software-properties-common >/dev/null
        if add-apt-repository -y ppa:deadsnakes/ppa >/dev/null 2>&1 && install_python 3.12; then return; fi
    fi
    install_python 3.11
}

usable_python >/dev/null || get_python || true
python=$(usable_python) || {
    echo "setup.sh: Python 3.11 or newer is needed, and neither apt nor ppa:deadsnakes/ppa gave one:" \
        "choose a newer base image (Ubuntu 22.04 or later)" >&2
    exit 1
}
"$python" -V

"$python" -m venv "$root/venv"
"$root/venv/bin/python" -m pip install --quiet --no-deps --require-hashes --only-binary :all: \
    --requirement "$source/requirements.txt"

# The digits are fetched now, so that no submission waits for them or is measured on others.
cd "$source"
mkdir -p "$root/cache"
export XDG_CACHE_HOME=$root/cache
data=$("$root/venv/bin/python" -c 'from assignment.data import load_mnist; print(load_mnist().name)')
if [ "$data" != mnist ]; then
    echo "setup.sh: MNIST could not be downloaded, so that all results are marked $data;" \
        "build again when there is a network" >&2
fi

# A second wall behind the sandbox's: users other than root find nothing here.
chmod -R go-rwx "$source/tests_hidden" "$root/cache"
"$root/venv/bin/python" -m grader doctor || true
