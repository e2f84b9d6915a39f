#include "handlers/oidc/provider_identity.hpp"

#include "crypto/id_token.hpp"
#include "schemas/engine/types.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>

namespace handlers {

namespace {

/// As schemas::normalize_domain() makes it.
std::string domain_of(const std::string& email)
{
    auto normalized = schemas::normalize_email(email);
    return normalized.substr(normalized.rfind('@') + 1);
}

} // namespace

bool is_authoritative(const provider_identity& identity, std::span<const std::string> domains)
{
    if (identity.email.empty())
        return false;
    auto domain = domain_of(identity.email);
    if (identity.issuer == crypto::google_issuer)
        return domain == "gmail.com" || (!identity.hosted_domain.empty() &&
                                         domain == schemas::normalize_domain(identity.hosted_domain));
    return std::ranges::any_of(domains, [&](const std::string& one) { return one == "*" || one == domain; });
}

std::string provider_name(std::string_view issuer)
{
    if (issuer == crypto::google_issuer)
        return "Google";
    auto url = boost::urls::parse_absolute_uri(issuer);
    return url ? std::string(url->encoded_host()) : std::string(issuer);
}

identity_step next_step(bool is_authoritative, address_owner owner, bool has_session)
{
    switch (owner) {
    case address_owner::none:
        return is_authoritative ? identity_step::create_verified_account
                                : identity_step::create_unverified_account;
    case address_owner::unproved:
        if (is_authoritative)
            return has_session ? identity_step::link_and_prove : identity_step::replace_account;
        break;
    case address_owner::proved:
        if (is_authoritative)
            return identity_step::link;
        break;
    }
    return has_session ? identity_step::link_to_session : identity_step::require_link;
}

} // namespace handlers
