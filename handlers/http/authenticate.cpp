#include "handlers/http/authenticate.hpp"

#include "crypto/hash.hpp"
#include "crypto/jwt.hpp"
#include "db/principals/principals.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "schemas/engine/builtin_rules.hpp"

#include <boost/beast/core/string.hpp>

#include <iterator>
#include <limits>
#include <variant>

namespace handlers {

namespace {

constexpr std::size_t max_token_size = 8192;

/// The kind of a token by its form; none if it cannot be a credential.
credential classify_token(const call& c, std::string_view token)
{
    using enum credential::kind_type;
    if (token.empty() || token.size() > max_token_size)
        return {};
    if (!token.starts_with("tnx_"))
        return {access_token, token, crypto::sha256(token)};
    if (!crypto::parse_api_key(token))
        return {};
    return {api_key, token, c.cx.key_digest(token)};
}

problem malformed_credential()
{
    return problem::rejected_credential("The credential is malformed.");
}

problem rejected_token(crypto::jwt_error error)
{
    return error == crypto::jwt_error::expired ? problem::token_expired()
                                               : problem::rejected_credential("The token is not valid.");
}

/// Checks an access token's signature and claims.
std::variant<crypto::claims, crypto::jwt_error> verify_token(const call& c, std::string_view token,
                                                             token_expiry expiry)
{
    auto now = std::numeric_limits<std::int64_t>::min();
    if (expiry == token_expiry::enforced)
        now = std::chrono::time_point_cast<std::chrono::seconds>(c.cx.now()).time_since_epoch().count();
    auto& issuer = c.cx.config.public_url;
    return c.cx.jwt->verify(token, issuer, issuer, now);
}

/// Checks an access token's signature and claims, then loads its session.
awaitable<result<db::principal_ref>> load_session(const call& c, credential presented, token_expiry expiry)
{
    auto checked = verify_token(c, presented.text, expiry);
    if (auto error = std::get_if<crypto::jwt_error>(&checked))
        co_return rejected_token(*error);

    auto& claims = std::get<crypto::claims>(checked);
    auto session = schemas::parse_uuid(claims.session_id);
    auto workspace = schemas::parse_uuid(claims.workspace_id);
    if (!session || (!workspace && !claims.workspace_id.empty()))
        co_return problem::rejected_credential("The token is not valid.");
    db::credential_lookup token;
    token.digest = presented.digest;
    token.session_id = *session;
    token.workspace_id = workspace;
    token.membership_id = schemas::parse_uuid(claims.membership_id);
    token.token_expires = db::timestamp(std::chrono::seconds(claims.expires_at));
    co_return co_await c.cx.principals.load_session(token);
}

} // namespace

result<std::string_view> read_bearer_token(const call& c)
{
    if (c.bearer.data()) // also an empty one
        return c.bearer;
    auto lines = c.req.head.lines(http::field::authorization);
    auto line = lines.begin();
    if (line == lines.end())
        return std::string_view();
    std::string_view value = *line;
    if (++line != lines.end())
        return problem::of(codes::bad_request, "Only one Authorization header is allowed.");

    constexpr std::string_view scheme = "Bearer ";
    if (value.size() <= scheme.size() || !boost::beast::iequals(value.substr(0, scheme.size()), scheme))
        return problem::rejected_credential("The Authorization header must have the form: Bearer <token>.");
    auto token = value.substr(value.find_first_not_of(' ', scheme.size() - 1));
    if (token.empty() || token.size() > max_token_size)
        return malformed_credential();
    return token;
}

result<credential> read_credential(const call& c)
{
    auto token = read_bearer_token(c);
    if (!token)
        return token.error();
    if (token->empty())
        return credential{};
    auto out = classify_token(c, *token);
    if (out.kind == credential::kind_type::none)
        return malformed_credential();
    return out;
}

result<db::principals::cache_result> find_cached(const call& c, std::string_view token, credential& presented)
{
    auto hash = c.cx.credential_hash(token);
    auto cached = c.cx.principals.cached(hash);
    if (cached.state == db::principals::state::hit)
        return cached;
    presented = classify_token(c, token);
    if (presented.kind == credential::kind_type::none)
        return malformed_credential();
    return c.cx.principals.cached(presented.digest, hash);
}

awaitable<result<db::principal_ref>> load_principal(const call& c, credential presented, token_expiry expiry)
{
    if (presented.kind == credential::kind_type::api_key)
        co_return co_await c.cx.principals.load_api_key(presented.digest);
    co_return co_await load_session(c, presented, expiry);
}

std::optional<problem> credential_state_error(const db::principal& principal, db::timestamp now)
{
    if (principal.expired(now))
        return problem::token_expired();
    if (principal.user_disabled)
        return problem::rejected_credential("The account is disabled.");
    // A credential of a workspace that its user has left counts as revoked.
    if (!principal.role && principal.workspace_id)
        return problem::rejected_credential("The credential has been revoked.");
    return std::nullopt;
}

awaitable<db::principal_ref> find_bearer_principal(call& c, std::string_view token)
{
    auto presented = classify_token(c, token);
    if (presented.kind == credential::kind_type::none)
        co_return nullptr;
    auto cached = c.cx.principals.cached(presented.digest);
    auto found = std::move(cached.principal);
    if (cached.state == db::principals::state::miss) {
        auto loaded = co_await load_principal(c, presented, token_expiry::enforced);
        if (loaded)
            found = std::move(*loaded);
    }
    if (!found || credential_state_error(*found, c.cx.now()))
        co_return nullptr;
    co_return found;
}

std::optional<db::uuid> find_signed_session(const call& c, std::string_view token)
{
    auto checked = verify_token(c, token, token_expiry::ignored);
    auto claims = std::get_if<crypto::claims>(&checked);
    return claims ? schemas::parse_uuid(claims->session_id) : std::nullopt;
}

} // namespace handlers
