#include "handlers/endpoints/oauth_state_cookie.hpp"

#include <boost/url/parse.hpp>

namespace handlers {

state_cookies<oauth_state> oauth_state_cookies(const context& cx)
{
    auto url = boost::urls::parse_absolute_uri(cx.config.public_url);
    std::string path;
    if (url)
        path = std::string_view(url->encoded_path());
    path += oidc_base_path;
    return {cx, "latchkey_sign_in_", std::move(path), "sign-in cookie"};
}

} // namespace handlers
