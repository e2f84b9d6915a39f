// The operator's settings, as far as handlers use them.
#pragma once

#include "crypto/password.hpp"
#include "crypto/signing_key.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace handlers {

/// The operator's name and look.
struct brand {
    std::string name = "Latchkey";
    /// `#rrggbb`; empty: ours.
    std::string accent;
    /// The content of an SVG or PNG file; empty: ours.
    std::string logo;
    bool is_logo_svg = false;
};

/// The same for all cores; constant while serving.
struct settings {
    /// Issuer and audience of JWTs; without a trailing slash.
    std::string public_url;
    /// What pages show.
    handlers::brand brand;
    std::chrono::seconds access_token_ttl{3600};
    std::chrono::seconds refresh_token_ttl{2592000};
    /// A session ends this long after its sign-in, however often it is refreshed.
    std::chrono::seconds session_max_age{7776000};
    std::chrono::seconds verify_token_ttl{86400};
    std::chrono::seconds reset_token_ttl{3600};
    std::chrono::seconds invite_ttl{604800};
    /// An account must verify its email address before it can do anything else.
    bool verification_required = false;
    /// 0: no rate limits at all.
    std::uint32_t rate_limit_per_minute = 1000;
    std::vector<std::string> cors_origins;
    /// Allowed redirect URIs of a sign-in through a provider; exact matches.
    std::vector<std::string> redirect_allowlist;
    /// Domains that a provider other than Google is authoritative for, normalized; `*` for all.
    std::vector<std::string> authoritative_domains;
    std::vector<std::string> extra_resources;
    crypto::jwt_algorithm jwt_algorithm = crypto::jwt_algorithm::es256;
    crypto::password_costs password_costs;
};

} // namespace handlers
