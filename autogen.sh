#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bootstraps the build; "deps" installs what is missing, "demo" plays the main job, "check" runs the tests.
set -eu
cd "$(dirname "$0")"
autoreconf --install --force
