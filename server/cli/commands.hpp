// The program's commands. Each returns the process's exit code and says in one line what went wrong.
#pragma once

#include "server/config.hpp"

#include <string>

namespace server {

/** Bring the schema up to date, serve until SIGTERM or SIGINT, drain. */
int serve(const config& settings);

/** Bring the schema up to date. */
int migrate(const config& settings);

/** Publish a new signing key. */
int rotate_signing_keys(const config& settings);

/** Shut an account out, or let it in again. Servers hear of it within moments, and one whose line to the
   database was cut as soon as that is back. @param email of the account */
int disable_user(const config& settings, const std::string& email);
int restore_user(const config& settings, const std::string& email);

/** Print the document of the API. It takes no server's settings but where clients will reach it. */
int print_openapi(const settings_text& settings);

/** Ask the server of this machine, at LATCHKEY_LISTEN, whether it can serve: for a container's health check.
    @return 0 if it can */
int check_health(const settings_text& settings);

/** Speak the Model Context Protocol over standard input and output, for the key of TENEX_API_KEY. */
int bridge_mcp(const settings_text& settings);

} // namespace server
