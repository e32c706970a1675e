#!/bin/sh
# Creates a virtual environment with a peer from PyPI: set-up.sh FOLDER NAME. NAME.txt lists all of
# its packages. Does nothing if the environment exists and is up to date.
set -eu
requirements=$(cd "$(dirname "$0")" && pwd)/$2.txt
folder=$1
if ! cmp -s "$requirements" "$folder/requirements.txt"; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --no-deps --requirement "$requirements"
    cp "$requirements" "$folder/requirements.txt"
fi
