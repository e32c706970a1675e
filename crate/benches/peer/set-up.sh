#!/bin/sh
# Makes a virtual environment with the peer, openai-python 1.42.0, from PyPI: set-up.sh FOLDER.
# Does nothing where it is there already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
if ! cmp -s "$here/requirements.txt" "$folder/requirements.txt"; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$folder/requirements.txt"
fi
