#include "handlers/endpoints/oidc_sign_in.hpp"

#include "crypto/hash.hpp"
#include "db/tables/oauth.hpp"
#include "handlers/authn/provider_login.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/endpoints/oauth_state_cookie.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/redirect.hpp"
#include "handlers/oidc/provider.hpp"
#include "schemas/engine/schema.hpp"

#include <algorithm>

namespace handlers::oidc_sign_in {

namespace {

constexpr std::chrono::seconds sign_in_ttl{600};
/// Between the clocks of nodes and database.
constexpr std::chrono::seconds state_margin{60};

reply redirect_with(const std::string& url, const form_fields& parameters)
{
    return redirect(302, url + (url.find('?') == std::string::npos ? '?' : '&') + encode_form(parameters));
}

/// The error code for the client: the provider's, if it is well-formed.
std::string error_code_of(std::string_view error)
{
    bool is_code = !error.empty() && error.size() <= 64 &&
                   std::ranges::all_of(error, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    return is_code ? std::string(error) : "server_error";
}

std::string error_code_of(oidc_failure_kind kind)
{
    switch (kind) {
    case oidc_failure_kind::unavailable:
        return "temporarily_unavailable";
    case oidc_failure_kind::refused:
        return "access_denied";
    case oidc_failure_kind::invalid_response:
        break;
    }
    return "server_error";
}

/// Whether the provider's address meets the rules of this server.
bool is_address(std::string_view text)
{
    schemas::validation_errors errors;
    schemas::path at("email");
    return schemas::email_address::read(text, at, errors).has_value();
}

/// Those of the operator's list, and this server's own page.
bool is_allowed(const settings& config, std::string_view redirect_uri)
{
    bool is_own = redirect_uri.starts_with(config.public_url) &&
                  redirect_uri.substr(config.public_url.size()) == oidc_return_page;
    return is_own || std::ranges::count(config.redirect_allowlist, redirect_uri) > 0;
}

reply not_begun_here()
{
    return to_reply(problem::of(
        codes::bad_request, "The sign-in was not started in this browser, has expired, or was completed."));
}

/// Stores a login for exchange(). Without a verified address, an identity can only sign in to the account
/// that it is linked to. @return the code; nothing if the identity is not linked and has no verified address
awaitable<std::optional<std::string>> store_verified_login(call& c, oidc_login login,
                                                           std::string code_challenge)
{
    if (login.claims.email_verified && !is_address(login.claims.email))
        login.claims.email_verified = false;
    auto stored = to_provider_login(std::move(login), c.cx.oidc->issuer(), std::move(code_challenge));
    if (stored.email.empty()) {
        auto account = co_await db::oauth::find_account(c.cx.db, stored.issuer, stored.subject);
        if (!account)
            co_return std::nullopt;
    }
    co_return co_await store_login(c, std::move(stored));
}

} // namespace

awaitable<reply> authorize(call& c, query<schemas::oauth_authorization_request> asked)
{
    if (!c.cx.oidc)
        co_return to_reply(problem::of(codes::not_found));
    if (!is_allowed(c.cx.config, asked->redirect_uri.value))
        co_return to_reply(problem::invalid_field("query", "redirect_uri", "is not an allowed redirect URI"));
    oauth_state state;
    state.state = make_state();
    state.nonce = make_state();
    state.verifier = make_state();
    state.redirect_uri = asked->redirect_uri.value;
    state.client_state = asked->state.value;
    state.code_challenge = asked->code_challenge.value;
    auto expires_at = std::chrono::floor<std::chrono::seconds>(c.cx.now() + sign_in_ttl);
    state.expires_at = expires_at.time_since_epoch().count();

    reply out;
    form_fields parameters;
    try {
        auto url = co_await c.cx.oidc->authorization_url(
            state.state, state.nonce, challenge_of(state.verifier), asked->prompt.has_value());
        out = redirect(302, url);
        auto cookies = oauth_state_cookies(c.cx);
        for (auto& excess : cookies.make_room(c.req))
            out.add_header("Set-Cookie", excess);
        out.add_header("Set-Cookie", cookies.make(state));
    } catch (const oidc_failure& e) {
        parameters.emplace_back("error", error_code_of(e.kind()));
        parameters.emplace_back("state", state.client_state);
        out = redirect_with(state.redirect_uri, parameters);
        out.cause = e.what();
    }
    co_return out;
}

awaitable<reply> callback(call& c, query<schemas::oauth_callback> back)
{
    if (!c.cx.oidc)
        co_return to_reply(problem::of(codes::not_found));
    auto cookies = oauth_state_cookies(c.cx);
    auto state = cookies.find(c.req, back->state.value);
    if (!state || !is_allowed(c.cx.config, state->redirect_uri))
        co_return not_begun_here();
    // Once, on any node: the client may have kept the cookie. Remembered for longer than the cookie is valid.
    auto digest = crypto::sha256(state->state);
    bool is_first = co_await db::oauth::spend_state(c.cx.db, digest, sign_in_ttl + state_margin);
    if (!is_first) {
        auto out = not_begun_here();
        out.add_header("Set-Cookie", cookies.remove(state->state));
        co_return out;
    }

    form_fields parameters;
    std::string cause;
    if (!back->code) {
        auto error = back->error ? std::string_view(back->error->value) : std::string_view();
        parameters.emplace_back("error", error_code_of(error));
    } else {
        std::optional<std::string> issuer;
        if (back->iss)
            issuer = back->iss->value;
        try {
            auto login = co_await c.cx.oidc->redeem(back->code->value, state->verifier, state->nonce,
                                                    std::move(issuer));
            auto code = co_await store_verified_login(c, std::move(login), state->code_challenge);
            if (code)
                parameters.emplace_back("code", std::move(*code));
            else
                parameters.emplace_back("error", "email_not_verified");
        } catch (const oidc_failure& e) {
            parameters.emplace_back("error", error_code_of(e.kind()));
            cause = e.what();
        }
    }
    parameters.emplace_back("state", state->client_state);
    auto out = redirect_with(state->redirect_uri, parameters);
    out.add_header("Set-Cookie", cookies.remove(state->state));
    out.cause = std::move(cause);
    co_return out;
}

awaitable<answer<schemas::login_result>> exchange(call& c, schemas::oauth_exchange body)
{
    return exchange_for(c, std::move(body), expected_account());
}

awaitable<answer<schemas::login_result>> exchange_for(call& c, schemas::oauth_exchange body,
                                                      expected_account expected)
{
    if (!c.cx.oidc)
        co_return problem::of(codes::not_found);
    auto login = co_await take_login(c, std::move(body.code.value), std::move(body.code_verifier.value));
    if (!login)
        co_return problem::of(codes::invalid_token);
    auto account = co_await find_or_create_account(c, std::move(*login), std::move(expected));
    if (!account)
        co_return account.error();
    if (auto refused = check_account(c.cx.config, account->user))
        co_return std::move(*refused);
    co_return co_await open_session(c, std::move(*account));
}

} // namespace handlers::oidc_sign_in
