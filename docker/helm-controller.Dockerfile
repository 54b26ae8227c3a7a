# helm-controller: one static program, no shell, no package manager, not root.
# `cargo xtask images` packs the same image without Docker; a test holds the two together.
FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates cmake g++ make perl
WORKDIR /source
COPY . .
RUN cargo --config .cargo/release.toml build --release --locked --bin helm-controller
# The program, which is linked statically, and the certificate authorities.
RUN set -eu; \
    mkdir -p /image/usr/local/bin /image/etc/ssl/certs /image/tmp; chmod 1777 /image/tmp; \
    cp target/*/release/helm-controller /image/usr/local/bin/; \
    cp --dereference /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/

FROM scratch
COPY --from=build /image/ /
USER 65534:65534
ENTRYPOINT ["/usr/local/bin/helm-controller"]
