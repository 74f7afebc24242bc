#!/bin/sh
# Adds an own certificate authority (CA_CERTIFICATES_PATH) to the bundle, then becomes the command.
authority=${CA_CERTIFICATES_PATH:-/etc/gitlab-runner/certs/ca.crt}
if [ -s "$authority" ]; then cat "$authority" >>/etc/ssl/certs/ca-certificates.crt; fi
exec "$@"
