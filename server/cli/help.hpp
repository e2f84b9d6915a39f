// Help: the output of --help.
#pragma once

#include <string_view>

namespace server {

inline constexpr std::string_view help_text = R"(latchkey: identity and access server

Usage:
  latchkey serve [flags]          run the migrations, then serve until SIGTERM
  latchkey migrate [flags]        run the migrations
  latchkey keys rotate [flags]    publish a new signing key
  latchkey users disable EMAIL [flags]
                                  disable an account; ends its sessions and
                                  revokes its API keys
  latchkey users restore EMAIL [flags]
                                  restore a disabled account
  latchkey openapi [flags]        print the OpenAPI document; uses
                                  LATCHKEY_PUBLIC_URL only
  latchkey health [flags]         check that the server on this host answers, at
                                  LATCHKEY_LISTEN; exit code 0 if it does
  latchkey ready [flags]          check that it is ready, with its database, at
                                  LATCHKEY_ADMIN_LISTEN or else LATCHKEY_LISTEN
  latchkey mcp                    serve the Model Context Protocol over standard
                                  input and output, with the API key in
                                  TENEX_API_KEY (or the file TENEX_API_KEY_FILE)
                                  and the server at TENEX_API_BASE, https unless
                                  it is on this host; http://127.0.0.1:8080
  latchkey --help
  latchkey --version

Every setting is an environment variable or a flag of the same name, which
overrides the variable: LATCHKEY_PUBLIC_URL is --public-url. The text after the
semicolon is the default. Secrets, marked with *, are never flags; each can also
be in a file, named by the variable with _FILE at its end.

  LATCHKEY_DATABASE_URL *         PostgreSQL connection string; required
  LATCHKEY_MASTER_KEY *           32 bytes in base64, from which the keys for all
                                  stored secrets are derived; required
  LATCHKEY_LISTEN                 address and port; 127.0.0.1:8080
  LATCHKEY_ADMIN_LISTEN           address and port to which /metrics and /readyz
                                  move, always over HTTP; none
  LATCHKEY_TLS_CERT               file of the certificate chain in PEM, with which
                                  LATCHKEY_LISTEN serves HTTPS; none
  LATCHKEY_TLS_KEY                file of its private key in PEM; none
  LATCHKEY_TLS_CLIENT_CA          file of authorities in PEM: clients need a
                                  certificate of one of them; none
  LATCHKEY_PUBLIC_URL             URL of the server for clients, and issuer of
                                  its tokens; http:// or, with LATCHKEY_TLS_CERT,
                                  https:// + listen
  LATCHKEY_BRAND_NAME             name of the service on pages and in emails; Latchkey
  LATCHKEY_BRAND_LOGO             SVG or PNG file of at most 256 KiB; Latchkey's
  LATCHKEY_BRAND_ACCENT           colour of buttons and links, as #rrggbb;
                                  Latchkey's
  LATCHKEY_DATA_DIR               folder for mail files, if there is no SMTP
                                  server, and for the development database of
                                  scripts/run; .latchkey
  LATCHKEY_SMTP_URL *             smtp:// or smtps:// URL with user and password;
                                  none: mail is written to the data folder
  LATCHKEY_MAIL_FROM              sender of mail; required with LATCHKEY_SMTP_URL
  LATCHKEY_SMTP_CONNECTIONS       emails sent at the same time; 16; at least 2
  LATCHKEY_MAIL_PER_RECIPIENT     emails an hour to one recipient, for each kind;
                                  20; half of it for notices; 0: unlimited
  LATCHKEY_MAIL_PER_SENDER        emails an hour on behalf of one user; 100; ten
                                  times as many after a day; 0: unlimited
  LATCHKEY_MAIL_PER_HOUR          emails an hour of the installation, for each
                                  class; 10000; 0: unlimited
  LATCHKEY_EMAIL_VERIFICATION     optional or required; optional
  LATCHKEY_VERIFY_TOKEN_TTL       seconds; 86400
  LATCHKEY_RESET_TOKEN_TTL        seconds; 3600
  LATCHKEY_INVITE_TTL             seconds; 604800
  LATCHKEY_GOOGLE_CLIENT_ID       OpenID provider for sign-in: client id; none
  LATCHKEY_GOOGLE_CLIENT_SECRET * its client secret; none
  LATCHKEY_GOOGLE_ISSUER          its issuer; https://accounts.google.com
  LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS
                                  email domains of the accounts that another
                                  issuer than Google manages, comma-separated, or
                                  *: it may sign in to existing accounts with
                                  their addresses; none
  LATCHKEY_REDIRECT_ALLOWLIST     allowed redirect URLs of such a sign-in,
                                  comma-separated; none
  LATCHKEY_THREADS                cores with a thread each; one per CPU core
  LATCHKEY_DATABASE_CONNECTIONS   per thread, in addition to the one for
                                  credential lookups; 3
  LATCHKEY_PREPARED_STATEMENTS    false behind a pooler in transaction mode, such
                                  as pgbouncer; true
  LATCHKEY_CACHE_MIB              memory for the credential cache; 256
  LATCHKEY_BODY_MIB               memory for the bodies of requests being received
                                  or handled; 128, and at least 4 per thread
  LATCHKEY_MAX_CONNECTIONS        client connections; 65536; 0: unlimited
  LATCHKEY_MAX_CONNECTIONS_PER_NETWORK
                                  of one network, /24 or /56, that is no trusted
                                  proxy; 16384; 0: unlimited
  LATCHKEY_RATE_LIMIT_PER_MINUTE  requests per credential, or per address if
                                  there is none; 1000; 0 disables all limits
  LATCHKEY_PASSWORD_HASH          argon2id costs; m=19456,t=2,p=1
  LATCHKEY_ARGON2                 implementation: own or libargon2; own
  LATCHKEY_JWT_ALGORITHM          ES256 or EdDSA; ES256
  LATCHKEY_ACCESS_TOKEN_TTL       seconds; 3600
  LATCHKEY_REFRESH_TOKEN_TTL      seconds; 2592000
  LATCHKEY_SESSION_MAX_AGE        seconds from sign-in to the end of a session,
                                  however often it is refreshed; 7776000
  LATCHKEY_SESSION_RETENTION      seconds until an ended session is deleted; 2592000
  LATCHKEY_API_KEY_RETENTION      the same for revoked and expired keys; 7776000
  LATCHKEY_AUDIT_RETENTION        the same for audit events; 63072000
  LATCHKEY_DEVICE_RETENTION       the same for devices without a login; 31536000
  LATCHKEY_INVITE_RETENTION       the same for expired invites; 2592000
  LATCHKEY_MAIL_RETENTION         the same for undeliverable emails; 604800
  LATCHKEY_CORS_ORIGINS           allowed origins of browser clients,
                                  comma-separated; none
  LATCHKEY_TRUSTED_PROXIES        networks of proxies that may forward the address
                                  of a client (X-Forwarded-For, Forwarded),
                                  comma-separated; none
  LATCHKEY_PROXY_PROTOCOL         whether each connection of a trusted proxy begins
                                  with a PROXY protocol header, version 2; false
  LATCHKEY_EXTRA_RESOURCES        further resource names for scopes of other
                                  services, comma-separated; none
  LATCHKEY_MIGRATE                whether serve runs the migrations; true
  LATCHKEY_DRAIN_DELAY            seconds from SIGTERM, for which a server that is
                                  not ready any more still accepts connections; 0
  LATCHKEY_LOG_LEVEL              debug, info, warning or error; info
)";

} // namespace server
