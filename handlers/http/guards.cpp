#include "handlers/http/guards.hpp"

#include "crypto/hash.hpp"
#include "schemas/engine/builtin_rules.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>

namespace handlers {

namespace {

constexpr std::size_t longest_credential = 8192;

/** A credential as it stands in the header, before anything is known about it. */
struct presented {
    enum class kind { none, api_key, jwt } what = kind::none;
    std::string_view text;
    db::digest digest{};
};

/** What a token looks like. @return of kind none if it can be no credential */
presented tell_kind(call& c, std::string_view token)
{
    if (token.empty() || token.size() > longest_credential)
        return {};
    if (!token.starts_with("tnx_"))
        return {presented::kind::jwt, token, crypto::sha256(token)};
    if (!crypto::parse_api_key(token))
        return {};
    return {presented::kind::api_key, token, c.cx.key_digest(token)};
}

std::variant<presented, problem> read_credential(call& c)
{
    auto [first, last] = c.req.message.equal_range(http::field::authorization);
    if (first == last)
        return presented{};
    if (std::next(first) != last)
        return problem::bad_request("There must be one Authorization header.");

    std::string_view value = first->value();
    constexpr std::string_view scheme = "Bearer ";
    if (value.size() <= scheme.size() || !boost::beast::iequals(value.substr(0, scheme.size()), scheme))
        return problem::invalid_token("The Authorization header must be: Bearer <token>.");
    auto out = tell_kind(c, value.substr(value.find_first_not_of(' ', scheme.size() - 1)));
    if (out.what == presented::kind::none)
        return problem::invalid_token("The credential is malformed.");
    return out;
}

rate_rule general_rule(const call& c, std::string_view name)
{
    return {name, c.cx.config.rate_limit_per_minute, std::chrono::seconds(60)};
}

std::optional<problem> count_credential(call& c)
{
    if (c.cx.config.rate_limit_per_minute == 0)
        return std::nullopt;
    std::span<const std::uint8_t> id(c.who->credential_id.begin(), c.who->credential_id.size());
    if (auto over = c.cx.limiter.count(general_rule(c, "credential"), id))
        return rate_limited(*over);
    return std::nullopt;
}

/** A made-up credential counts for the address; over its limit the answer is 429, not 401. */
problem refuse_unknown(call& c, problem refusal)
{
    auto bucket = address_bucket(c.req.client);
    auto guesses = count(c, general_rule(c, "unknown-credential"), bucket);
    if (auto over = count_address(c))
        return std::move(*over);
    return guesses ? std::move(*guesses) : std::move(refusal);
}

/** An address that has made up too many is not worth another look-up, nor the check of another signature. */
std::optional<problem> check_guesser(call& c)
{
    auto rule = general_rule(c, "unknown-credential");
    if (rule.limit == 0)
        return std::nullopt;
    if (auto over = c.cx.limiter.is_over(rule, address_bucket(c.req.client)))
        return rate_limited(*over);
    return std::nullopt;
}

/** Why a credential counts for nothing now, if so. */
std::optional<problem> standing_fault(const call& c, const db::principal& who)
{
    if (who.expired(c.cx.now()))
        return problem::token_expired();
    if (who.user_disabled)
        return problem::invalid_token("The account is disabled.");
    // A credential for a workspace that its person has left is as good as revoked.
    if (!who.role && who.workspace_id)
        return problem::invalid_token("The credential has been revoked.");
    return std::nullopt;
}

/** What the caller's own state says, before any permission. */
std::optional<problem> judge_standing(call& c)
{
    if (auto fault = standing_fault(c, c.caller()))
        return refuse_unknown(c, std::move(*fault));
    return count_credential(c);
}

/** An admin in person, or with a key that may do all that its owner may. */
bool acts_as_admin(const db::principal& who)
{
    bool unlimited = who.kind == db::principal::kind_type::session || std::ranges::count(who.scopes, "*") > 0;
    return who.role == db::role::admin && unlimited;
}

std::optional<problem> judge_permission(const call& c, const guard& who)
{
    switch (who.who) {
    case guard::kind::unlimited:
    case guard::kind::anyone:
    case guard::kind::even_unverified:
    case guard::kind::signed_in:
        return std::nullopt;
    case guard::kind::permission:
        if (!who.needs_workspace && !c.caller().workspace_id)
            return std::nullopt; // only a session is without, and it may all that its person may
        if (!may(c, who.permission))
            return problem::forbidden_scope(who.permission);
        return std::nullopt;
    case guard::kind::company_admin:
        if (!acts_as_admin(c.caller()))
            return problem::forbidden_scope("*");
        return std::nullopt;
    }
    return std::nullopt;
}

/** Whether the route is for members of a workspace, and the caller is of none. */
std::optional<problem> judge_place(const call& c, const guard& who)
{
    if (!who.needs_workspace || c.caller().workspace_id)
        return std::nullopt;
    if (c.caller().is_waiting)
        return problem::forbidden("pending_approval",
                                  "The request to join the workspace has not been approved yet.");
    if (who.who == guard::kind::permission)
        return problem::forbidden_scope(who.permission);
    return problem::forbidden("forbidden", "This needs a workspace; the credential names none.");
}

std::optional<problem> judge(call& c, const guard& who, db::principal_ref found)
{
    if (!found)
        return refuse_unknown(c, problem::invalid_token("The credential is unknown or has been revoked."));
    c.who = std::move(found);
    if (auto refused = judge_standing(c))
        return refused;
    c.cx.usage.note(*c.who, c.cx.now());
    return permit(c, who);
}

problem refusal_of(crypto::jwt_fault fault)
{
    return fault == crypto::jwt_fault::expired ? problem::token_expired()
                                               : problem::invalid_token("The token is not valid.");
}

/** Check the token's signature and claims, then resolve the session that it names. */
awaitable<std::variant<db::principal_ref, problem>> load_session(call& c, presented credential)
{
    auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(c.cx.now());
    auto& issuer = c.cx.config.public_url;
    auto checked = c.cx.jwt->verify(credential.text, issuer, issuer, seconds.time_since_epoch().count());
    if (auto fault = std::get_if<crypto::jwt_fault>(&checked))
        co_return refusal_of(*fault);

    auto& claims = std::get<crypto::claims>(checked);
    auto session = schemas::parse_uuid(claims.session_id);
    auto workspace = schemas::parse_uuid(claims.workspace_id);
    if (!session || (!workspace && !claims.workspace_id.empty()))
        co_return problem::invalid_token("The token is not valid.");
    db::timestamp expires{std::chrono::seconds(claims.expires_at)};
    co_return co_await c.cx.principals.load_session(credential.digest, *session, workspace, expires);
}

using verdict = std::optional<problem>; // nothing: admitted

/** Judge by the header and by what is remembered.
    @param credential set if there is one
    @return nothing if the database has to be asked about the credential */
std::optional<verdict> judge_remembered(call& c, const guard& who, presented& credential)
{
    if (who.who == guard::kind::unlimited)
        return verdict();
    if (who.who == guard::kind::anyone)
        return count_address(c);

    auto read = read_credential(c);
    if (auto refused = std::get_if<problem>(&read))
        return refuse_unknown(c, std::move(*refused));
    credential = std::get<presented>(read);
    if (credential.what == presented::kind::none) {
        if (auto over = count_address(c))
            return over;
        return problem::unauthorized();
    }

    auto remembered = c.cx.principals.cached(credential.digest);
    if (remembered.state == db::principals::state::miss)
        return std::nullopt;
    return judge(c, who, std::move(remembered.who));
}

} // namespace

std::optional<std::optional<problem>> admit_remembered(call& c, const guard& who)
{
    presented credential;
    return judge_remembered(c, who, credential);
}

awaitable<std::optional<problem>> admit(call& c, const guard& who)
{
    presented credential;
    if (auto outcome = judge_remembered(c, who, credential))
        co_return std::move(*outcome);

    if (auto refused = check_guesser(c))
        co_return std::move(*refused);
    if (credential.what == presented::kind::api_key)
        co_return judge(c, who, co_await c.cx.principals.load_api_key(credential.digest));

    auto loaded = co_await load_session(c, credential);
    if (auto refused = std::get_if<problem>(&loaded))
        co_return refuse_unknown(c, std::move(*refused));
    co_return judge(c, who, std::get<db::principal_ref>(std::move(loaded)));
}

awaitable<db::principal_ref> find_bearer(call& c, std::string_view token)
{
    auto credential = tell_kind(c, token);
    if (credential.what == presented::kind::none)
        co_return nullptr;
    auto remembered = c.cx.principals.cached(credential.digest);
    auto found = std::move(remembered.who);
    if (remembered.state == db::principals::state::miss) {
        if (credential.what == presented::kind::api_key) {
            found = co_await c.cx.principals.load_api_key(credential.digest);
        } else {
            auto loaded = co_await load_session(c, credential);
            if (auto known = std::get_if<db::principal_ref>(&loaded))
                found = std::move(*known);
        }
    }
    if (!found || standing_fault(c, *found))
        co_return nullptr;
    co_return found;
}

bool is_unverified(const call& c, const db::principal& who)
{
    return c.cx.config.verification_required && who.user_id && !who.email_verified;
}

std::optional<problem> permit(const call& c, const guard& who)
{
    if (is_unverified(c, c.caller()) && who.who != guard::kind::even_unverified)
        return problem::forbidden("email_not_verified", "The account's mail address has not been verified.");
    if (auto refused = judge_place(c, who))
        return refused;
    return judge_permission(c, who);
}

bool may(const call& c, std::string_view permission)
{
    return c.cx.permissions.allows(c.caller(), permission);
}

std::optional<problem> require_person(const call& c)
{
    if (c.caller().user_id)
        return std::nullopt;
    return problem::forbidden("forbidden", "This call is about a person; a workspace's key is none.");
}

awaitable<std::variant<db::users::row, problem>> load_person(call& c)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    auto user = co_await db::users::find(c.cx.db, *c.caller().user_id);
    if (!user)
        co_return problem::not_found();
    co_return std::move(*user);
}

std::optional<problem> count_address(call& c)
{
    return count(c, general_rule(c, "ip"), address_bucket(c.req.client));
}

std::optional<problem> count(call& c, const rate_rule& rule, std::span<const std::uint8_t> subject)
{
    if (c.cx.config.rate_limit_per_minute == 0)
        return std::nullopt;
    if (auto over = c.cx.limiter.count(rule, subject))
        return rate_limited(*over);
    return std::nullopt;
}

problem rate_limited(const rate_refusal& refusal)
{
    auto window = std::to_string(refusal.rule.window.count());
    auto left = std::to_string(refusal.retry_after.count());
    problem p;
    p.status = 429;
    p.code = "rate_limited";
    p.detail = "Too many requests; try again in " + left + " s.";
    p.retry_after = refusal.retry_after;
    p.rate_policy.append("\"").append(refusal.rule.name).append("\";q=");
    p.rate_policy.append(std::to_string(refusal.rule.limit)).append(";w=").append(window);
    p.rate_state.append("\"").append(refusal.rule.name).append("\";r=0;t=").append(left);
    return p;
}

std::array<std::uint8_t, 16> address_bucket(const boost::asio::ip::address& client)
{
    std::array<std::uint8_t, 16> out{};
    if (client.is_v4()) {
        std::ranges::copy(client.to_v4().to_bytes(), out.begin() + 12);
        out[10] = out[11] = 0xff; // as the IPv4-mapped address, so that no /64 is ever mistaken for it
    } else {
        auto bytes = client.to_v6().to_bytes();
        std::copy_n(bytes.begin(), 8, out.begin());
    }
    return out;
}

} // namespace handlers
