# Container image of Latchkey: built in one stage, run in another without compiler and build tools.
#
#   docker build -t latchkey .
#   docker run --read-only --cap-drop all --security-opt no-new-privileges -p 8080:8080 \
#     -v "$PWD/secrets:/run/secrets:ro" -e LATCHKEY_DATABASE_URL_FILE=/run/secrets/database-url \
#     -e LATCHKEY_MASTER_KEY_FILE=/run/secrets/master-key -e LATCHKEY_PUBLIC_URL=... latchkey
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      clang-19 cmake ninja-build mold ca-certificates brotli gzip npm \
      libboost1.81-dev libssl-dev libpq-dev libargon2-dev libcurl4-openssl-dev libicu-dev libzxcvbn-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cmake --preset release && cmake --build --preset release --target latchkey \
    && strip --strip-debug -o /latchkey build/release/latchkey

FROM ${BASE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Latchkey" \
      org.opencontainers.image.description="Identity and access server" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="BSL-1.0"
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates tzdata libssl3 libpq5 libargon2-1 libcurl4 libicu72 libzxcvbn0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin \
      latchkey
COPY --from=build /latchkey /usr/local/bin/latchkey
USER 10001:10001
# Nothing is written to disk: mail is sent through LATCHKEY_SMTP_URL, and the log goes to standard error.
ENV LATCHKEY_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# Liveness: an outage of the database must not restart all containers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["latchkey", "health"]
ENTRYPOINT ["latchkey"]
CMD ["serve"]
