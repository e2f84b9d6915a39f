#include "server/provider.hpp"

#include "handlers/endpoints/oidc_sign_in.hpp"

namespace server {

std::optional<handlers::oidc_provider::config> provider_settings(const config& settings)
{
    if (!settings.google)
        return std::nullopt;
    handlers::oidc_provider::config out;
    out.issuer = settings.google->issuer;
    out.client_id = settings.google->client_id;
    out.client_secret = settings.google->client_secret;
    out.redirect_uri = settings.handlers.public_url + std::string(handlers::google::base_path) + "/callback";
    return out;
}

} // namespace server
