#include "handlers/accounts.hpp"

#include "crypto/encoding.hpp"
#include "crypto/password.hpp"
#include "crypto/random.hpp"
#include "db/memberships.hpp"
#include "db/sessions.hpp"
#include "db/users.hpp"
#include "db/workspaces.hpp"
#include "handlers/convert.hpp"
#include "handlers/deps.hpp"
#include "handlers/limits.hpp"
#include "handlers/tokens.hpp"
#include "handlers/trace.hpp"

namespace handlers::accounts {

namespace {

/** A session about to be opened. Its salt and the trace must outlive the batch it is added to. */
struct opening {
    db::uuid id = crypto::make_uuid_v7();
    std::array<std::uint8_t, 16> salt = crypto::random_bytes<16>();
};

db::sessions::draft draft_of(const opening& session, const call& c, const trace& from, const db::uuid& user)
{
    db::sessions::draft out;
    out.id = session.id;
    out.user_id = user;
    out.salt = session.salt;
    out.expires_at = c.cx.now() + c.cx.config.refresh_token_ttl;
    out.ip = from.ip();
    out.user_agent = from.agent();
    return out;
}

std::string default_workspace_name(const schemas::signup& body)
{
    constexpr std::size_t longest = 100;
    auto owner = body.name ? body.name->value : body.email.text.substr(0, body.email.text.find('@'));
    auto name = owner + "'s workspace";
    return name.size() <= longest ? name : owner;
}

/** One guess at a password. It is counted before the hash, so that guesses made at the same time do not slip
    past the limits together, and taken back unless it turns out to be wrong. */
class guess {
public:
    guess(call& c, const std::string& email)
        : c_(c), address_(address_bucket(c.req.client)), email_(crypto::bytes_of(email))
    {}
    guess(const guess&) = delete;
    guess& operator=(const guess&) = delete;

    ~guess()
    {
        if (counts_address_)
            c_.cx.limiter.forgive(limits::login_address, address_, counted_);
        if (counts_account_)
            c_.cx.limiter.forgive(limits::login_account, email_, counted_);
    }

    std::optional<problem> count()
    {
        counted_ = rate_limiter::clock::now();
        auto over = handlers::count(c_, limits::login_address, address_);
        counts_address_ = !over;
        if (!over) {
            over = handlers::count(c_, limits::login_account, email_);
            counts_account_ = !over;
        }
        return over;
    }

    problem is_wrong()
    {
        counts_address_ = counts_account_ = false;
        return problem::invalid_credentials();
    }

private:
    call& c_;
    std::array<std::uint8_t, 16> address_;
    std::span<const std::uint8_t> email_;
    rate_limiter::clock::time_point counted_{};
    bool counts_address_ = false, counts_account_ = false; // to be taken back
};

/** Bring the stored hash to today's costs. Should that fail, the next login will do it. */
awaitable<void> upgrade_hash(call& c, db::uuid user, std::string password, std::string old_hash)
{
    try {
        auto hash = co_await c.cx.hashers.hash(std::move(password));
        co_await db::users::update_password_hash(c.cx.db, user, std::move(old_hash), std::move(hash));
    } catch (const crypto::overloaded&) {
    } catch (const db::failure&) {
    }
}

/** Open a session for who has proved to be `account`. */
awaitable<answer<schemas::login_result>> open_session(call& c, db::users::account account)
{
    trace from(c);
    opening session;
    auto draft = draft_of(session, c, from, account.user.id);
    draft.password_version = account.user.password_version;
    auto event = from.event("session.open");
    event.actor_id = account.user.id;
    event.credential_id = session.id;
    db::batch work;
    std::optional<db::role> role;
    if (account.place) {
        draft.workspace_id = event.workspace_id = account.place->workspace.id;
        role = account.place->membership.role;
        db::users::add_set_last_workspace(work, account.user.id, *draft.workspace_id);
    }
    db::sessions::add_insert(work, draft);
    db::audit::add(work, event);
    try {
        co_await c.cx.db.run(std::move(work));
    } catch (const db::failure& e) {
        if (db::sessions::was_outdated(e))
            co_return problem::invalid_credentials();
        throw;
    }

    schemas::login_result out;
    issue_tokens(c.cx, {account.user.id, session.id, draft.workspace_id, role, 0, session.salt}, out);
    out.user = to_user(c.cx.config, account.user);
    if (account.place)
        out.workspace = to_workspace(account.place->workspace);
    co_return out;
}

} // namespace

awaitable<answer<schemas::signup_result>> signup(call& c, schemas::signup body)
{
    if (auto over = count(c, limits::signup_address, address_bucket(c.req.client)))
        co_return std::move(*over);
    auto hash = co_await c.cx.hashers.hash(std::move(body.password.value));

    trace from(c);
    opening session;
    db::users::draft user;
    user.id = crypto::make_uuid_v7();
    user.email = body.email.text;
    user.email_normalized = body.email.normalized;
    user.password_hash = hash;
    if (body.name)
        user.name = body.name->value;
    auto workspace_id = crypto::make_uuid_v7();
    auto workspace_name = body.workspace_name ? body.workspace_name->value : default_workspace_name(body);
    auto draft = draft_of(session, c, from, user.id);
    draft.workspace_id = workspace_id;
    auto event = from.event("user.signup");
    event.workspace_id = workspace_id;
    event.actor_id = user.id;
    event.credential_id = session.id;

    db::batch work;
    db::users::add_insert(work, user);
    db::workspaces::add_insert(work, workspace_id, workspace_name, user.id);
    db::memberships::add_insert(work, workspace_id, user.id, db::role::admin);
    db::users::add_set_last_workspace(work, user.id, workspace_id);
    db::sessions::add_insert(work, draft);
    db::audit::add(work, event);
    db::results made;
    try {
        made = co_await c.cx.db.run(std::move(work));
    } catch (const db::failure& e) {
        if (e.is_unique_violation("users_email_key"))
            co_return problem::conflict("email_taken", "There is an account with this address.");
        throw;
    }

    schemas::signup_result out;
    out.user = to_user(c.cx.config, made[0].as_one<db::users::row>());
    out.workspace = to_workspace(made[1].as_one<db::workspaces::row>());
    out.membership = to_membership(made[2].as_one<db::memberships::row>());
    issue_tokens(c.cx, {user.id, session.id, workspace_id, db::role::admin, 0, session.salt}, out);
    co_return out;
}

awaitable<answer<schemas::login_result>> login(call& c, schemas::login body)
{
    guess attempt(c, body.email.normalized);
    if (auto over = attempt.count())
        co_return std::move(*over);

    auto account = co_await db::users::find_for_login(c.cx.db, body.email.normalized);
    std::string hash = account ? account->user.password_hash.value_or("") : ""; // empty: a dummy is hashed
    bool good = co_await c.cx.hashers.verify(body.password.value, hash);
    if (!good || !account)
        co_return attempt.is_wrong();
    if (account->user.disabled_at)
        co_return problem::forbidden("account_disabled", "The account has been disabled.");
    if (crypto::needs_rehash(hash, c.cx.config.password_costs))
        co_await upgrade_hash(c, account->user.id, std::move(body.password.value), std::move(hash));
    co_return co_await open_session(c, std::move(*account));
}

} // namespace handlers::accounts
