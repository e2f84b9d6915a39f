#include "handlers/endpoints/oidc_sign_in.hpp"

#include "crypto/encoding.hpp"
#include "crypto/one_time_token.hpp"
#include "crypto/random.hpp"
#include "crypto/seal.hpp"
#include "db/tables/oauth.hpp"
#include "db/tables/users.hpp"
#include "handlers/authn/account_proof.hpp"
#include "handlers/authn/new_account.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/endpoints/oauth_state_cookie.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/oidc/provider.hpp"
#include "handlers/oidc/provider_tokens.hpp"
#include "schemas/engine/schema.hpp"

#include <algorithm>

namespace handlers::oidc_sign_in {

namespace {

constexpr std::string_view provider = "google";
constexpr std::string_view code_seal_context = "oauth code";
constexpr std::chrono::seconds sign_in_ttl{600}, code_ttl{60};

std::string random_text()
{
    return crypto::to_base64url(crypto::random_bytes<32>());
}

/// RFC 7636, section 4.2.
std::string challenge_of(std::string_view verifier)
{
    return crypto::to_base64url(crypto::sha256(verifier));
}

reply redirect(std::string_view url)
{
    reply out;
    out.status = 302;
    out.content_type = {};
    out.add_header("Location", url);
    out.add_header("Referrer-Policy", "no-referrer");
    return out;
}

reply redirect(const std::string& url, const form_fields& parameters)
{
    return redirect(url + (url.find('?') == std::string::npos ? '?' : '&') + encode_form(parameters));
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

bool is_allowed(const settings& config, std::string_view redirect_uri)
{
    return std::ranges::count(config.redirect_allowlist, redirect_uri) > 0;
}

/// A user authenticated by the provider, stored until the client exchanges the code.
struct provider_login {
    std::string code_challenge;
    std::string subject;
    std::string email;
    std::string name;
    provider_tokens tokens;
};
BOOST_DESCRIBE_STRUCT(provider_login, (), (code_challenge, subject, email, name, tokens))

/// Stores a login under a new code. @return the code
awaitable<std::string> store_login(call& c, oidc_login login, std::string code_challenge)
{
    provider_login stored{std::move(code_challenge),
                          std::move(login.claims.subject),
                          std::move(login.claims.email),
                          std::move(login.claims.name),
                          {std::move(login.access_token), std::move(login.refresh_token)}};
    auto code = crypto::make_one_time_token();
    auto sealed = c.cx.sealer.seal(crypto::bytes_of(schemas::to_json(stored)), code_seal_context);
    co_await db::oauth::insert_code(c.cx.db, code.digest, std::move(sealed), code_ttl);
    co_return code.text;
}

} // namespace

awaitable<reply> authorize(call& c, query<schemas::oauth_authorization_request> asked)
{
    if (!c.cx.oidc)
        co_return to_reply(problem::of(codes::not_found));
    if (!is_allowed(c.cx.config, asked->redirect_uri.value))
        co_return to_reply(problem::invalid_field("query", "redirect_uri", "is not an allowed redirect URI"));
    oauth_state state;
    state.state = random_text();
    state.nonce = random_text();
    state.verifier = random_text();
    state.redirect_uri = asked->redirect_uri.value;
    state.client_state = asked->state.value;
    state.code_challenge = asked->code_challenge.value;
    auto expires_at = std::chrono::floor<std::chrono::seconds>(c.cx.now() + sign_in_ttl);
    state.expires_at = expires_at.time_since_epoch().count();

    reply out;
    form_fields parameters;
    try {
        auto url =
            co_await c.cx.oidc->authorization_url(state.state, state.nonce, challenge_of(state.verifier));
        out = redirect(url);
        for (auto& excess : delete_oldest_cookies(c.cx, c.req))
            out.add_header("Set-Cookie", excess);
        out.add_header("Set-Cookie", to_cookie(c.cx, state));
    } catch (const oidc_failure& e) {
        parameters.emplace_back("error", error_code_of(e.kind()));
        parameters.emplace_back("state", state.client_state);
        out = redirect(state.redirect_uri, parameters);
        out.cause = e.what();
    }
    co_return out;
}

awaitable<reply> callback(call& c, query<schemas::oauth_callback> back)
{
    if (!c.cx.oidc)
        co_return to_reply(problem::of(codes::not_found));
    auto state = from_cookies(c.cx, c.req, back->state.value);
    if (!state || !is_allowed(c.cx.config, state->redirect_uri))
        co_return to_reply(
            problem::of(codes::bad_request, "The sign-in was not started in this browser, or has expired."));

    form_fields parameters;
    std::string cause;
    if (!back->code) {
        auto error = back->error ? std::string_view(back->error->value) : std::string_view();
        parameters.emplace_back("error", error_code_of(error));
    } else {
        try {
            auto login = co_await c.cx.oidc->redeem(back->code->value, state->verifier, state->nonce);
            if (!login.claims.email_verified || !is_address(login.claims.email)) {
                parameters.emplace_back("error", "email_not_verified");
            } else {
                auto code = co_await store_login(c, std::move(login), state->code_challenge);
                parameters.emplace_back("code", std::move(code));
            }
        } catch (const oidc_failure& e) {
            parameters.emplace_back("error", error_code_of(e.kind()));
            cause = e.what();
        }
    }
    parameters.emplace_back("state", state->client_state);
    auto out = redirect(state->redirect_uri, parameters);
    out.add_header("Set-Cookie", delete_cookie(c.cx, state->state));
    out.cause = std::move(cause);
    co_return out;
}

namespace {

/// The provider's name of the user, if it meets the rules of this server.
std::optional<std::string> valid_name(const std::string& name)
{
    schemas::validation_errors errors;
    schemas::path at("name");
    auto read = schemas::name_text<1, 100>::read(name, at, errors);
    return read ? std::optional(std::move(read->value)) : std::nullopt;
}

/// Links the user to the provider's account, or records another sign-in.
void add_grant(unit_of_work& tx, const context& cx, const db::uuid& user, const provider_login& login)
{
    auto sealed = seal_tokens(cx.sealer, login.tokens);
    auto email = schemas::normalize_email(login.email);
    db::oauth::draft grant;
    grant.provider = provider;
    grant.subject = login.subject;
    grant.user_id = user;
    grant.email = email;
    grant.sealed_tokens = sealed;
    grant.replaces_tokens = login.tokens.refresh_token.has_value();
    db::oauth::add_upsert(tx.batch(), grant);
}

problem changed_concurrently()
{
    return problem::of(codes::conflict, "The account was changed concurrently; sign in again.");
}

/// Commits a transaction with a grant. @return the error, if it fails
awaitable<std::optional<problem>> commit_grant(unit_of_work& tx)
{
    try {
        co_await tx.commit();
    } catch (const db::failure& e) {
        if (db::oauth::was_linked_elsewhere(e))
            co_return problem::of(codes::conflict,
                                  "The account is linked to another account of the provider.");
        if (db::oauth::was_outdated(e) || e.is_unique_violation("users_email_key"))
            co_return changed_concurrently();
        throw;
    }
    co_return std::nullopt;
}

/// Signs up a new user, verified and without a password.
/// @param unproved the account that has the address, and is replaced
awaitable<std::optional<problem>> create_account(call& c, const provider_login& login,
                                                 const db::users::row* unproved)
{
    new_account account;
    account.email = login.email;
    account.email_normalized = schemas::normalize_email(login.email);
    account.name = valid_name(login.name);
    account.email_verified = true;
    account.workspace_to_join = co_await find_workspace_to_join(c.cx, account.email_normalized);
    unit_of_work tx(c, credential_check::none);
    account.signup_agent = describe_agent(tx.origin().agent());
    if (unproved)
        co_await replace_unproved_account(tx, c, *unproved, account);
    else
        add_verified_account(tx, account);
    add_grant(tx, c.cx, account.user_id, login);
    co_return co_await commit_grant(tx);
}

/// Links the proved account with the same address.
awaitable<std::optional<problem>> link_account(call& c, const db::users::row& user,
                                               const provider_login& login)
{
    unit_of_work tx(c, credential_check::none);
    auto event = tx.event("oauth.link", std::string(provider));
    event.actor_id = user.id;
    tx.affects_user(user.id);
    add_grant(tx, c.cx, user.id, login);
    tx.audit(event);
    co_return co_await commit_grant(tx);
}

/// Records a sign-in through an existing grant, with the provider's new tokens.
awaitable<std::optional<problem>> renew_grant(call& c, const db::uuid& user, const provider_login& login)
{
    unit_of_work tx(c, credential_check::none);
    add_grant(tx, c.cx, user, login);
    co_return co_await commit_grant(tx);
}

/// The account to sign in to: linked before, with the same address, or new.
awaitable<result<db::users::account>> find_or_create_account(call& c, provider_login login)
{
    std::string from(provider);
    auto account = co_await db::oauth::find_account(c.cx.db, from, login.subject);
    auto user = account ? std::optional(account->user)
                        : co_await db::users::find_by_email(c.cx.db, schemas::normalize_email(login.email));
    if (user && user->disabled_at)
        co_return problem::of(codes::account_disabled);
    std::optional<problem> refused;
    if (account)
        refused = co_await renew_grant(c, user->id, login);
    else if (user && db::users::is_proved(*user))
        refused = co_await link_account(c, *user, login);
    else
        refused = co_await create_account(c, login, user ? &*user : nullptr);
    if (refused)
        co_return std::move(*refused);
    if (!account)
        account = co_await db::oauth::find_account(c.cx.db, from, login.subject);
    if (!account)
        co_return changed_concurrently();
    co_return std::move(*account);
}

/// The login stored under a code, if the verifier matches its challenge. Consumes the code.
awaitable<std::optional<provider_login>> take_login(call& c, const schemas::oauth_exchange& body)
{
    auto digest = crypto::one_time_token_digest(body.code.value);
    if (!digest)
        co_return std::nullopt;
    auto sealed = co_await db::oauth::consume_code(c.cx.db, *digest);
    auto opened = sealed ? c.cx.sealer.open(*sealed, code_seal_context) : std::nullopt;
    if (!opened)
        co_return std::nullopt;
    auto read = schemas::parse_body<provider_login>(crypto::text_of(*opened));
    if (!read ||
        !crypto::equal_constant_time(challenge_of(body.code_verifier.value), read.value->code_challenge))
        co_return std::nullopt;
    co_return std::move(read.value);
}

} // namespace

awaitable<answer<schemas::login_result>> exchange(call& c, schemas::oauth_exchange body)
{
    if (!c.cx.oidc)
        co_return problem::of(codes::not_found);
    auto login = co_await take_login(c, body);
    if (!login)
        co_return problem::of(codes::invalid_token);
    auto account = co_await find_or_create_account(c, std::move(*login));
    if (!account)
        co_return account.error();
    if (auto refused = check_account(c.cx.config, account->user))
        co_return std::move(*refused);
    co_return co_await open_session(c, std::move(*account));
}

} // namespace handlers::oidc_sign_in
