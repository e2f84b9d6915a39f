#include "db/principals.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/describe/class.hpp>
#include <boost/smart_ptr/make_local_shared.hpp>

#include <algorithm>
#include <ctime>
#include <utility>

namespace db {

namespace {

/// Seconds since some start. The coarse clock is read without a system call, in a few nanoseconds.
std::uint32_t coarse_seconds()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint32_t>(now.tv_sec) + 1;
}

} // namespace

principals::principals(boost::asio::io_context& io, pool& lookups, config settings)
    : io_(io), lookups_(lookups), settings_(settings),
      max_age_(static_cast<std::uint32_t>(settings.max_age.count())), cache_(settings.cache_bytes),
      absent_(settings.absent_bytes), absent_until_(coarse_seconds() + max_age_)
{}

principals::~principals() = default;

principals::memory principals::cached(const digest& key)
{
    auto now = coarse_seconds();
    if (auto who = cache_.find(key, now > max_age_ ? now - max_age_ : 0))
        return {state::hit, std::move(who)};
    if (!absent_.contains(key))
        return {};
    if (now < absent_until_)
        return {state::absent, nullptr};
    absent_.clear(); // all at once: no entry has an age of its own
    absent_until_ = now + max_age_;
    return {};
}

// A user's key has its user's current role, so the same row serves for a role changed a moment ago.
static const statement find_key_principals{"principals_find_keys", R"(
    SELECT k.digest, k.id, k.prefix, k.user_id, k.workspace_id, k.scopes, k.expires_at,
           CASE WHEN k.user_id IS NULL THEN k.role ELSE m.role END AS role,
           coalesce(w.owner_id = k.user_id, false) AS is_owner,
           u.email_verified_at IS NOT NULL AS email_verified,
           u.disabled_at IS NOT NULL AS user_disabled,
           w.members_can_mint_keys AS members_can_mint
    FROM api_keys k
    JOIN workspaces w ON w.id = k.workspace_id
    LEFT JOIN users u ON u.id = k.user_id
    LEFT JOIN memberships m ON m.workspace_id = k.workspace_id AND m.user_id = k.user_id
    WHERE k.digest = ANY ($1) AND k.revoked_at IS NULL)"};

static const statement find_session_principal{"principals_find_session", R"(
    SELECT s.id, s.user_id, s.expires_at, m.role,
           coalesce(w.owner_id = s.user_id, false) AS is_owner,
           u.email_verified_at IS NOT NULL AS email_verified,
           u.disabled_at IS NOT NULL AS user_disabled,
           coalesce(w.members_can_mint_keys, false) AS members_can_mint,
           $2::uuid IS NULL AND EXISTS (SELECT FROM join_requests r WHERE r.user_id = s.user_id) AS is_waiting
    FROM sessions s
    JOIN users u ON u.id = s.user_id
    LEFT JOIN memberships m ON m.workspace_id = $2 AND m.user_id = s.user_id
    LEFT JOIN workspaces w ON w.id = m.workspace_id
    WHERE s.id = $1 AND s.revoked_at IS NULL)"};

namespace {

struct key_row {
    db::digest digest{};
    uuid id{};
    std::string prefix;
    std::optional<uuid> user_id;
    uuid workspace_id{};
    std::vector<std::string> scopes;
    std::optional<timestamp> expires_at;
    std::optional<db::role> role;
    bool is_owner = false;
    bool email_verified = false;
    bool user_disabled = false;
    bool members_can_mint = false;
};
BOOST_DESCRIBE_STRUCT(key_row, (),
                      (digest, id, prefix, user_id, workspace_id, scopes, expires_at, role, is_owner,
                       email_verified, user_disabled, members_can_mint))

struct session_row {
    uuid id{};
    uuid user_id{};
    timestamp expires_at;
    std::optional<db::role> role;
    bool is_owner = false;
    bool email_verified = false;
    bool user_disabled = false;
    bool members_can_mint = false;
    bool is_waiting = false;
};
BOOST_DESCRIBE_STRUCT(session_row, (),
                      (id, user_id, expires_at, role, is_owner, email_verified, user_disabled,
                       members_can_mint, is_waiting))

template <class Row>
boost::local_shared_ptr<principal> begin_principal(const Row& from, principal::kind_type kind)
{
    auto who = boost::make_local_shared<principal>();
    who->kind = kind;
    who->credential_id = from.id;
    who->user_id = from.user_id;
    who->role = from.role;
    who->is_owner = from.is_owner;
    who->email_verified = from.email_verified;
    who->user_disabled = from.user_disabled;
    who->members_can_mint = from.members_can_mint;
    return who;
}

principal_ref to_principal(key_row from)
{
    auto who = begin_principal(from, principal::kind_type::api_key);
    who->workspace_id = from.workspace_id;
    who->expires_at = from.expires_at;
    who->prefix = std::move(from.prefix);
    who->scopes = std::move(from.scopes);
    who->digest = from.digest;
    return who;
}

} // namespace

awaitable<principal_ref> principals::load_api_key(digest key)
{
    auto wait = [this, key](resume waiting) { wait_for(key, std::move(waiting)); };
    return boost::asio::async_initiate<decltype(use_awaitable), void(std::exception_ptr, principal_ref)>(
        std::move(wait), use_awaitable);
}

void principals::wait_for(const digest& key, resume waiting)
{
    auto& known = joinable_[key];
    if (known) {
        known->waiting.push_back(std::move(waiting));
        return;
    }
    known = std::make_shared<lookup>();
    known->key = key;
    known->waiting.push_back(std::move(waiting));
    queue_.push_back(known);
    if (asking_ < settings_.statements_in_flight) {
        ++asking_;
        boost::asio::co_spawn(io_, ask(), boost::asio::detached);
    }
}

/// Ask for what waits, statement after statement, until nothing does. Like a group commit: what arrives while
/// every statement is under way travels in the next.
awaitable<void> principals::ask()
{
    // A turn of the reactor later: what the same turn brings travels along.
    co_await boost::asio::post(use_awaitable);
    while (!queue_.empty()) {
        auto asked = next_group();
        std::vector<digest> keys;
        keys.reserve(asked.size());
        for (const auto& each : asked)
            keys.push_back(each->key);

        auto stamp = stamp_;
        std::vector<principal_ref> found;
        std::exception_ptr failed;
        try {
            auto rows = co_await lookups_.run(find_key_principals, keys);
            for (auto& row : rows.as_vector<key_row>())
                found.push_back(to_principal(std::move(row)));
        } catch (...) {
            failed = std::current_exception();
        }
        for (auto& each : asked)
            finish(each, found, failed, stamp);
    }
    --asking_;
}

principals::group principals::next_group()
{
    auto count = std::min(queue_.size(), settings_.keys_per_statement);
    auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
    group next(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    return next;
}

void principals::finish(const std::shared_ptr<lookup>& asked, const std::vector<principal_ref>& found,
                        const std::exception_ptr& failed, std::uint64_t stamp)
{
    if (auto known = joinable_.find(asked->key); known != joinable_.end() && known->second == asked)
        joinable_.erase(known);

    principal_ref who;
    if (!failed) {
        auto match =
            std::ranges::find(found, asked->key, [](const principal_ref& each) { return each->digest; });
        if (match != found.end())
            who = *match;
        remember(asked->key, who, stamp);
    }
    // Posted, so that whatever one of them does next cannot keep the others waiting.
    for (auto& waiting : asked->waiting)
        boost::asio::post(io_, [waiting = std::move(waiting), failed, who]() mutable {
            std::move(waiting)(failed, std::move(who));
        });
}

awaitable<principal_ref> principals::load_session(digest token_digest, uuid session_id,
                                                  std::optional<uuid> workspace_id, timestamp token_expires)
{
    auto stamp = stamp_;
    auto answer = co_await lookups_.run(find_session_principal, session_id, workspace_id);
    principal_ref who;
    if (auto row = answer.as_optional<session_row>()) {
        auto made = begin_principal(*row, principal::kind_type::session);
        made->workspace_id = workspace_id;
        made->expires_at = std::min(row->expires_at, token_expires);
        made->digest = token_digest;
        made->is_waiting = row->is_waiting;
        who = std::move(made);
    }
    remember(token_digest, who, stamp);
    co_return who;
}

/* Why an answer may be handed out and yet not be kept. An eviction follows the commit of a change, and
   precedes the reply to whoever made the change. An answer whose look-up was sent before the eviction may
   show the state before the change. Everyone who waits for that look-up came before the eviction, so their
   requests overlap the change: both orders are right for them. Whoever comes after it must see the change,
   and does: the answer is not kept, forget_flights() lets nobody join it, and a statement sent from then on
   takes its snapshot after the commit. */
void principals::remember(const digest& key, const principal_ref& who, std::uint64_t stamp)
{
    if (stamp != stamp_)
        return;
    if (who)
        cache_.store(who, coarse_seconds());
    else
        absent_.store(key);
}

void principals::forget_flights()
{
    ++stamp_;
    joinable_.clear();
    for (const auto& unsent : queue_)
        joinable_.emplace(unsent->key, unsent);
}

void principals::evict(const change& what)
{
    if (what.everything)
        return evict_all();
    forget_flights();
    for (const auto* subjects : {&what.credentials, &what.users, &what.workspaces})
        for (const auto& subject : *subjects)
            cache_.evict(subject);
    for (const auto& key : what.digests) {
        cache_.evict(key);
        absent_.evict(key);
    }
}

void principals::evict_all()
{
    forget_flights();
    cache_.clear();
    absent_.clear();
}

} // namespace db
