#include "handlers/openapi/security.hpp"

#include <algorithm>

namespace handlers {

namespace json = boost::json;

json::object security_schemes()
{
    json::object session{{"type", "http"},
                         {"scheme", "bearer"},
                         {"bearerFormat", "JWT"},
                         {"description", "The access token of a session."}};
    json::object key{
        {"type", "http"},
        {"scheme", "bearer"},
        {"bearerFormat", "tnx_<prefix>_<secret>"},
        {"description", "An API key. It has the permissions of its owner, narrowed by its scopes."}};
    json::object cookie{{"type", "apiKey"},
                        {"in", "cookie"},
                        {"name", "__Host-latchkey"},
                        {"description", "The session of a browser, for the site's own pages alone. Where the "
                                        "site is served over HTTP on a loopback address: `latchkey`."}};
    return {{"accessToken", std::move(session)},
            {"apiKey", std::move(key)},
            {"browserSession", std::move(cookie)}};
}

bool needs_credential(const route& line)
{
    using enum guard_kind;
    return line.guard.kind != anyone && line.guard.kind != unlimited && line.guard.kind != browser_session;
}

json::array security_of(const route& line, const operation& op)
{
    auto is_token_expired = [](const documented_error& one) {
        return one.code == codes::token_expired.name();
    };
    bool may_have = std::ranges::any_of(op.errors, is_token_expired);
    json::array out;
    if (line.guard.kind == guard_kind::browser_session)
        out.push_back({{"browserSession", json::array()}});
    if (needs_credential(line) || may_have) {
        out.push_back({{"accessToken", json::array()}});
        out.push_back({{"apiKey", json::array()}});
    }
    if (!needs_credential(line) && may_have)
        out.emplace_back(json::object());
    return out;
}

} // namespace handlers
