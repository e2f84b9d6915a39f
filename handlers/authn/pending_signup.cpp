#include "handlers/authn/pending_signup.hpp"

#include "crypto/encoding.hpp"
#include "crypto/one_time_token.hpp"
#include "crypto/random.hpp"
#include "db/postgres/error.hpp"
#include "db/tables/oauth.hpp"
#include "db/tables/users.hpp"
#include "handlers/access/client_address.hpp"
#include "handlers/authn/account_proof.hpp"
#include "handlers/authn/login_attempt.hpp"
#include "handlers/authn/provider_login.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/mail/queue_mail.hpp"

namespace handlers {

std::vector<std::uint8_t> signup_bucket(const call& c, std::string_view email_normalized)
{
    auto client = address_bucket(c.req.client);
    std::vector<std::uint8_t> out(client.begin(), client.end());
    auto address = crypto::bytes_of(email_normalized);
    out.insert(out.end(), address.begin(), address.end());
    return out;
}

awaitable<void> add_pending_signup(call& c, const new_account& account,
                                   std::optional<std::vector<std::uint8_t>> sealed_login)
{
    unit_of_work tx(c, credential_check::none);
    db::pending_signups::row signup;
    signup.id = crypto::make_uuid_v7();
    signup.email = account.email;
    signup.email_normalized = account.email_normalized;
    signup.password_hash = account.password_hash;
    signup.sealed_login = std::move(sealed_login);
    signup.name = account.name;
    signup.workspace_name = account.workspace_name;
    signup.signup_agent = describe_agent(tx.origin().agent());
    auto token = crypto::make_one_time_token();
    db::pending_signups::add_insert(tx.batch(), signup, token.digest,
                                    c.cx.now() + c.cx.config.verify_token_ttl);
    queue_signup_mail(tx.batch(), c.cx, signup.id, token.text);
    co_await tx.commit_without_invalidation();
}

awaitable<void> resend_pending_signup(call& c, const db::pending_signups::row& signup)
{
    unit_of_work tx(c, credential_check::none);
    auto token = crypto::make_one_time_token();
    auto expires_at = c.cx.now() + c.cx.config.verify_token_ttl;
    db::pending_signups::add_renew(tx.batch(), signup.id, token.digest, expires_at);
    queue_signup_mail(tx.batch(), c.cx, signup.id, token.text);
    co_await tx.commit_without_invalidation();
}

namespace {

/// Whether the password is that of the sign-up. A missing one is not counted as a failed attempt.
awaitable<result<bool>> knows_signup(call& c, const db::pending_signups::row& signup,
                                     std::optional<schemas::existing_password> password)
{
    if (!password)
        co_return false;
    login_attempt attempt(c, signup.email_normalized);
    auto over = co_await attempt.count();
    if (over)
        co_return std::move(*over);
    auto matches =
        co_await attempt.check(std::move(*password), std::nullopt, signup.password_hash.value_or(""));
    if (!matches || *matches)
        co_return matches;
    co_return problem::of(codes::invalid_credentials.with_status(403), "The password is incorrect.");
}

/// Whether a sign-in through a provider is by the identity that signed up.
result<bool> is_same_identity(const std::optional<provider_login>& signup, const provider_login& proof)
{
    if (signup && signup->issuer == proof.issuer && signup->subject == proof.subject)
        return true;
    return problem::of(codes::invalid_credentials.with_status(403), std::string(other_identity));
}

/// Whether an account that has the address keeps it against a sign-up with or without its password.
bool keeps_address(const db::users::row& existing, bool is_known)
{
    return db::users::is_proved(existing) || existing.disabled_at ||
           (existing.email_verified_at && !is_known);
}

} // namespace

awaitable<result<std::string>> complete_pending_signup(call& c, const std::string& token,
                                                       std::optional<schemas::existing_password> password,
                                                       const std::optional<provider_login>& proof)
{
    auto digest = crypto::one_time_token_digest(token);
    auto signup = digest ? co_await db::pending_signups::find(c.cx.db, *digest) : std::nullopt;
    if (!signup)
        co_return problem::of(codes::invalid_token);
    auto known = co_await knows_signup(c, *signup, std::move(password));
    auto login = signup->sealed_login ? open_pending_login(c.cx, *signup->sealed_login) : std::nullopt;
    if (signup->sealed_login && !login) // sealed with another master key
        co_return problem::of(codes::invalid_token);
    if (proof)
        known = is_same_identity(login, *proof);
    if (!known)
        co_return known.error();
    auto existing = co_await db::users::find_by_email(c.cx.db, signup->email_normalized);
    if (existing && keeps_address(*existing, *known))
        co_return problem::of(codes::invalid_token);

    new_account account;
    account.email = signup->email;
    account.email_normalized = signup->email_normalized;
    account.password_hash = std::move(signup->password_hash);
    account.name = std::move(signup->name);
    account.workspace_name = std::move(signup->workspace_name);
    account.signup_agent = std::move(signup->signup_agent);
    account.email_verified = true;
    account.verified_by_link_only = !*known;
    account.workspace_to_join = co_await find_workspace_to_join(c.cx, account.email_normalized);
    unit_of_work tx(c, credential_check::none, locks_of(account, existing ? &*existing : nullptr));
    auto event = tx.event("user.verify_email");
    event.actor_id = account.user_id;
    db::pending_signups::add_consume(tx.batch(), *digest);
    if (existing)
        co_await replace_unproved_account(tx, c, *existing, account);
    else
        add_verified_account(tx, account);
    if (login)
        add_grant(tx, c.cx, account.user_id, *login);
    tx.audit(event);
    try {
        co_await tx.commit();
    } catch (const db::failure& e) {
        if (e.is_unique_violation("users_email_key") || db::oauth::was_linked_elsewhere(e))
            co_return problem::of(codes::invalid_token);
        throw;
    }
    co_return std::move(account.email);
}

awaitable<bool> remove_pending_signup(call& c, const std::string& token)
{
    auto digest = crypto::one_time_token_digest(token);
    if (!digest)
        co_return false;
    co_return co_await db::pending_signups::remove(c.cx.db, *digest);
}

} // namespace handlers
