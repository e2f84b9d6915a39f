// What --help prints.
#pragma once

#include <string_view>

namespace server {

inline constexpr std::string_view help_text = R"(latchkey: identity and access server

Usage:
  latchkey serve [flags]          migrate, then serve until SIGTERM
  latchkey migrate [flags]        bring the database's schema up to date
  latchkey keys rotate [flags]    publish a new key for signing tokens
  latchkey users disable EMAIL [flags]
                                  shut an account out, and end all it holds
  latchkey users restore EMAIL [flags]
                                  let it sign in again
  latchkey openapi [flags]        print the document of the API; of the settings
                                  only LATCHKEY_PUBLIC_URL counts
  latchkey health [flags]         ask the server of this machine whether it can
                                  serve: 0 if so; for health checks
  latchkey mcp                    the Model Context Protocol over standard input
                                  and output, for agents: acts by the API key
                                  in TENEX_API_KEY at the server that
                                  TENEX_API_BASE names; http://127.0.0.1:8080
  latchkey --version

Every setting is an environment variable, or a flag of the same name, which
overrides it: LATCHKEY_PUBLIC_URL is --public-url.

  LATCHKEY_DATABASE_URL           PostgreSQL connection string (needed)
  LATCHKEY_MASTER_KEY             32 bytes in base64; every stored secret
                                  derives from it (needed)
  LATCHKEY_LISTEN                 address and port; 127.0.0.1:8080
  LATCHKEY_PUBLIC_URL             how clients reach the server, and the issuer
                                  of its tokens; http:// + listen
  LATCHKEY_DATA_DIR               where scripts/run keeps its own database and
                                  key, and mails go that have no mail server;
                                  .latchkey
  LATCHKEY_SMTP_URL               smtp:// or smtps:// with user and password;
                                  none: mails become files in the data folder
  LATCHKEY_MAIL_FROM              sender of mails (needed with the one above)
  LATCHKEY_EMAIL_VERIFICATION     optional or required; optional
  LATCHKEY_VERIFY_TOKEN_TTL       seconds; 86400
  LATCHKEY_RESET_TOKEN_TTL        seconds; 3600
  LATCHKEY_INVITE_TTL             seconds; 604800
  LATCHKEY_GOOGLE_CLIENT_ID       of the OpenID provider that people may sign
  LATCHKEY_GOOGLE_CLIENT_SECRET   in through; none
  LATCHKEY_GOOGLE_ISSUER          that provider; https://accounts.google.com
  LATCHKEY_REDIRECT_ALLOWLIST     where such a sign-in may lead, by comma; none
  LATCHKEY_THREADS                reactors; one for each core
  LATCHKEY_DATABASE_CONNECTIONS   of each reactor, beside the one for looking
                                  up credentials; 3
  LATCHKEY_PREPARED_STATEMENTS    false behind a pooler in transaction mode, such
                                  as pgbouncer; true
  LATCHKEY_CACHE_MIB              memory for known credentials; 256
  LATCHKEY_RATE_LIMIT_PER_MINUTE  requests of a credential, or of an address
                                  without one; 1000; 0 is no limit of any kind
  LATCHKEY_PASSWORD_HASH          argon2id costs; m=19456,t=2,p=1
  LATCHKEY_ARGON2                 who computes it: own, or libargon2; own
  LATCHKEY_JWT_ALGORITHM          ES256 or EdDSA; ES256
  LATCHKEY_ACCESS_TOKEN_TTL       seconds; 3600
  LATCHKEY_REFRESH_TOKEN_TTL      seconds; 2592000
  LATCHKEY_CORS_ORIGINS           origins whose pages may call, by comma; none
  LATCHKEY_TRUSTED_PROXIES        networks whose X-Forwarded-For counts; none
  LATCHKEY_EXTRA_RESOURCES        resource names of other modules that scopes
                                  may name, by comma; none
  LATCHKEY_MIGRATE                whether serve migrates at start; true
  LATCHKEY_LOG_LEVEL              debug, info, warning or error; info
)";

} // namespace server
