// Commands of the program. Each returns the exit code and reports an error as one line on standard error.
#pragma once

#include "server/config.hpp"

#include <string>

namespace server {

/// Run the migrations, serve until SIGTERM or SIGINT, drain.
int serve(const config& settings);

/// Run the migrations.
int migrate(const config& settings);

/// Publish a new signing key.
int rotate_signing_keys(const config& settings);

/** Disable an account or restore it. Returns once every node has applied the change; a node that has lost its
    database connection applies it when its lease expires, within two seconds.
    @param email of the account */
int disable_user(const config& settings, const std::string& email);
int restore_user(const config& settings, const std::string& email);

/// Print the OpenAPI document. Uses LATCHKEY_PUBLIC_URL alone.
int print_openapi(const setting_list& settings);

/** Check that the server on this host answers, at LATCHKEY_LISTEN: for a container's health check. Does not
    depend on the database, which a restart of the container would not restore. If clients need certificates,
   it asks at LATCHKEY_ADMIN_LISTEN where there is one.
    @return 0 if it does */
int check_health(const setting_list& settings);

/** Check the readiness of the server on this host, at LATCHKEY_ADMIN_LISTEN or LATCHKEY_LISTEN.
    @return 0 if it is ready */
int check_readiness(const setting_list& settings);

/// Serve the Model Context Protocol over standard input and output, with the API key in TENEX_API_KEY.
int bridge_mcp(const setting_list& settings);

} // namespace server
