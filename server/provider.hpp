// The OpenID provider that people sign in through.
#pragma once

#include "handlers/oidc/provider.hpp"
#include "server/config.hpp"

#include <optional>

namespace server {

/** As configured; nothing if there is none. */
std::optional<handlers::oidc_provider::config> provider_settings(const config& settings);

} // namespace server
