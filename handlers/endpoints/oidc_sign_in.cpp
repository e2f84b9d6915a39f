#include "handlers/endpoints/oidc_sign_in.hpp"

#include "crypto/encoding.hpp"
#include "crypto/one_time_token.hpp"
#include "crypto/random.hpp"
#include "db/tables/join_requests.hpp"
#include "db/tables/oauth.hpp"
#include "db/tables/users.hpp"
#include "handlers/authn/new_account.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/endpoints/oauth_state_cookie.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/oidc/provider.hpp"
#include "handlers/oidc/provider_tokens.hpp"

#include <algorithm>

namespace handlers::google {

namespace {

constexpr std::string_view provider = "google";
constexpr std::string_view code_context = "oauth code";
constexpr std::chrono::seconds sign_in_lives{600}, code_lives{60};

std::string random_text()
{
    return crypto::to_base64url(crypto::random_bytes<32>());
}

/** RFC 7636, section 4.2. */
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

/** What an error of the provider's becomes for the client: its own word, if it is one. */
std::string error_word(std::string_view error)
{
    bool is_word = !error.empty() && error.size() <= 64 &&
                   std::ranges::all_of(error, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    return is_word ? std::string(error) : "server_error";
}

std::string error_word(oidc_failure_kind why)
{
    switch (why) {
    case oidc_failure_kind::unavailable:
        return "temporarily_unavailable";
    case oidc_failure_kind::refused:
        return "access_denied";
    case oidc_failure_kind::untrustworthy:
        break;
    }
    return "server_error";
}

/** Whether the provider's address can be one here. */
bool is_address(std::string_view text)
{
    schemas::fault_list faults;
    schemas::path nowhere("email");
    return schemas::email_address::read(text, nowhere, faults).has_value();
}

bool is_allowed(const settings& config, std::string_view redirect_uri)
{
    return std::ranges::count(config.redirect_allowlist, redirect_uri) > 0;
}

/** Who came back, kept until the code is exchanged. */
struct arrival {
    std::string code_challenge;
    std::string subject;
    std::string email;
    std::string name;
    granted_tokens tokens;
};
BOOST_DESCRIBE_STRUCT(arrival, (), (code_challenge, subject, email, name, tokens))

} // namespace

awaitable<reply> authorize(call& c, query<schemas::oauth_begin> asked)
{
    if (!c.cx.oidc)
        co_return to_reply(problem::not_found());
    if (!is_allowed(c.cx.config, asked->redirect_uri.value))
        co_return to_reply(problem::invalid_field("query", "redirect_uri", "is not one of those allowed"));
    begun_sign_in begun;
    begun.state = random_text();
    begun.nonce = random_text();
    begun.verifier = random_text();
    begun.redirect_uri = asked->redirect_uri.value;
    begun.client_state = asked->state.value;
    begun.code_challenge = asked->code_challenge.value;
    auto until = std::chrono::floor<std::chrono::seconds>(c.cx.now() + sign_in_lives);
    begun.expires_at = until.time_since_epoch().count();

    reply out;
    form_fields trouble;
    try {
        auto url =
            co_await c.cx.oidc->authorization_url(begun.state, begun.nonce, challenge_of(begun.verifier));
        out = redirect(url);
        out.add_header("Set-Cookie", to_cookie(c.cx, begun));
    } catch (const oidc_failure& e) {
        trouble.emplace_back("error", error_word(e.kind()));
        trouble.emplace_back("state", begun.client_state);
        out = redirect(begun.redirect_uri, trouble);
        out.cause = e.what();
    }
    co_return out;
}

awaitable<reply> callback(call& c, query<schemas::oauth_return> back)
{
    if (!c.cx.oidc)
        co_return to_reply(problem::not_found());
    auto begun = from_cookies(c.cx, c.req, back->state.value);
    if (!begun || !is_allowed(c.cx.config, begun->redirect_uri))
        co_return to_reply(
            problem::bad_request("This sign-in was not begun in this browser, or it took too long."));

    form_fields told;
    std::string cause;
    if (!back->code) {
        told.emplace_back("error", error_word(back->error ? back->error->value : std::string_view()));
    } else {
        try {
            auto came = co_await c.cx.oidc->redeem(back->code->value, begun->verifier, begun->nonce);
            if (!came.who.email_verified || !is_address(came.who.email)) {
                told.emplace_back("error", "email_not_verified");
            } else {
                arrival who{begun->code_challenge,
                            came.who.subject,
                            came.who.email,
                            came.who.name,
                            {came.access_token, came.refresh_token}};
                auto code = crypto::make_one_time_token();
                auto sealed = c.cx.sealer.seal(crypto::bytes_of(schemas::to_json(who)), code_context);
                co_await db::oauth::keep_code(c.cx.db, code.digest, std::move(sealed), code_lives);
                told.emplace_back("code", code.text);
            }
        } catch (const oidc_failure& e) {
            told.emplace_back("error", error_word(e.kind()));
            cause = e.what();
        }
    }
    told.emplace_back("state", begun->client_state);
    auto out = redirect(begun->redirect_uri, told);
    out.add_header("Set-Cookie", forget_cookie(c.cx, begun->state));
    out.cause = std::move(cause);
    co_return out;
}

namespace {

/** The name if it can be one here. */
std::optional<std::string> usable_name(const std::string& name)
{
    schemas::fault_list faults;
    schemas::path nowhere("name");
    auto read = schemas::name_text<1, 100>::read(name, nowhere, faults);
    return read ? std::optional(std::move(read->value)) : std::nullopt;
}

/** What links a person to the provider's account, as part of a batch. */
void add_grant(db::batch& work, const context& cx, const db::uuid& user, const arrival& who)
{
    auto sealed = seal_tokens(cx.sealer, who.tokens);
    auto email = schemas::normalize_email(who.email);
    db::oauth::draft grant;
    grant.provider = provider;
    grant.subject = who.subject;
    grant.user_id = user;
    grant.email = email;
    grant.sealed_tokens = sealed;
    grant.outlasts = who.tokens.refresh_token.has_value();
    db::oauth::add_put(work, grant);
}

problem try_again()
{
    return problem::conflict("conflict", "The account has just been changed; sign in again.");
}

/** Run what links. @return why it is not linked, if so */
awaitable<std::optional<problem>> commit_link(call& c, db::batch work, db::change what)
{
    try {
        co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(what));
    } catch (const db::failure& e) {
        if (db::oauth::was_linked_elsewhere(e))
            co_return problem::conflict("conflict",
                                        "The account is linked to another account of the provider.");
        if (db::oauth::was_outdated(e) || e.is_unique_violation("users_email_key"))
            co_return try_again();
        throw;
    }
    co_return std::nullopt;
}

/** Somebody whom nobody knows: a person, verified and without a password, with a workspace. */
awaitable<std::optional<problem>> welcome(call& c, arrival who)
{
    newcomer person;
    person.email = who.email;
    person.email_normalized = schemas::normalize_email(who.email);
    person.name = usable_name(who.name);
    person.email_verified = true;
    trace from(c);
    auto event = from.event("user.signup");
    event.actor_id = person.user;
    person.workspace_to_join = co_await find_workspace_to_join(c.cx, person.email_normalized);
    event.workspace_id = own_workspace(person);
    auto joined = from.event("team.join");
    db::batch work;
    add_newcomer(work, person);
    db::join_requests::add_settle(work, person.user, joined);
    add_grant(work, c.cx, person.user, who);
    db::audit::add(work, event);
    db::change what;
    what.users.push_back(person.user);
    co_return co_await commit_link(c, std::move(work), std::move(what));
}

/** Somebody whose address has an account: it is theirs, and what was done with it before the address was
   proved need not have been. */
awaitable<std::optional<problem>> join(call& c, db::users::row user, arrival who)
{
    trace from(c);
    auto event = from.event("oauth.link");
    event.actor_id = user.id;
    event.target = provider;
    db::batch work;
    db::change what;
    what.users.push_back(user.id);
    if (!user.email_verified_at) {
        what = co_await db::users::reach_of(c.cx.db, user.id);
        db::users::add_dispossess(work, user.id);
        auto joined = from.event("team.join");
        db::users::add_verify_email(work, user.id, user.email, joined);
    }
    add_grant(work, c.cx, user.id, who);
    db::audit::add(work, event);
    co_return co_await commit_link(c, std::move(work), std::move(what));
}

/** Note another sign-in, and what the provider lets us do now. */
awaitable<std::optional<problem>> renew(call& c, db::uuid user, arrival who)
{
    db::batch work;
    add_grant(work, c.cx, user, who);
    db::change nobody; // no credential has changed
    co_return co_await commit_link(c, std::move(work), std::move(nobody));
}

/** Whose session the arrival opens, or why nobody's. */
awaitable<std::variant<db::users::account, problem>> settle(call& c, arrival who)
{
    std::string from(provider);
    auto account = co_await db::oauth::find_account(c.cx.db, from, who.subject);
    auto user = account ? std::optional(account->user)
                        : co_await db::users::find_by_email(c.cx.db, schemas::normalize_email(who.email));
    if (user && user->disabled_at)
        co_return *check_account(c.cx.config, *user);
    std::optional<problem> refused;
    if (account)
        refused = co_await renew(c, user->id, who);
    else if (user)
        refused = co_await join(c, *user, who);
    else
        refused = co_await welcome(c, who);
    if (refused)
        co_return std::move(*refused);
    if (!account)
        account = co_await db::oauth::find_account(c.cx.db, from, who.subject);
    if (!account)
        co_return try_again();
    co_return std::move(*account);
}

} // namespace

awaitable<answer<schemas::login_result>> exchange(call& c, schemas::oauth_exchange body)
{
    if (!c.cx.oidc)
        co_return problem::not_found();
    auto digest = crypto::one_time_token_digest(body.code.value);
    if (!digest)
        co_return problem::spent_token();
    auto sealed = co_await db::oauth::take_code(c.cx.db, *digest);
    auto opened = sealed ? c.cx.sealer.open(*sealed, code_context) : std::nullopt;
    if (!opened)
        co_return problem::spent_token();
    auto read = schemas::parse_body<arrival>(crypto::text_of(*opened));
    if (!read ||
        !crypto::equal_constant_time(challenge_of(body.code_verifier.value), read.value->code_challenge))
        co_return problem::spent_token();
    auto settled = co_await settle(c, std::move(*read.value));
    if (auto refused = std::get_if<problem>(&settled))
        co_return std::move(*refused);
    auto& account = std::get<db::users::account>(settled);
    if (auto refused = check_account(c.cx.config, account.user))
        co_return std::move(*refused);
    co_return co_await open_session(c, std::move(account));
}

} // namespace handlers::google
