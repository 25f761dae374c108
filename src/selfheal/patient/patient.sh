#!/bin/sh
# The image's program. In a container everybody outside of it has to reach the app.
exec python3 -m selfheal.patient --host 0.0.0.0 "$@"
