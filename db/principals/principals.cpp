#include "db/principals/principals.hpp"

#include <boost/describe/class.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <ctime>
#include <functional>
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
    : lookups_(lookups), settings_(settings), max_age_(static_cast<std::uint32_t>(settings.max_age.count())),
      cache_(settings.cache_bytes), absent_(settings.absent_bytes),
      absent_until_(coarse_seconds() + max_age_),
      keys_(io, settings.look_ups, stamp_, std::bind_front(&principals::ask_for_keys, this),
            std::bind_front(&principals::remember, this)),
      sessions_(io, settings.look_ups, stamp_, std::bind_front(&principals::ask_for_sessions, this),
                std::bind_front(&principals::remember, this))
{}

principals::~principals() = default;

bool principals::trusted() const
{
    return !settings_.trust || settings_.trust->holds();
}

principals::memory principals::cached(const digest& key)
{
    auto now = coarse_seconds();
    if (!trusted()) {
        ++counts_.misses;
        return {};
    }
    if (auto who = cache_.find(key, now > max_age_ ? now - max_age_ : 0)) {
        ++counts_.hits;
        return {state::hit, std::move(who)};
    }
    if (absent_.contains(key)) {
        if (now < absent_until_) {
            ++counts_.absent_hits;
            return {state::absent, nullptr};
        }
        absent_.clear(); // all at once: no entry has an age of its own
        absent_until_ = now + max_age_;
    }
    ++counts_.misses;
    return {};
}

principals::counts principals::count() const
{
    auto out = counts_;
    out.pushed_out = cache_.pushed_out();
    out.entries = cache_.size();
    out.bytes = cache_.bytes();
    return out;
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

// A token names a session and a workspace; no workspace is the nil id here.
static const statement find_session_principals{"principals_find_sessions", R"(
    SELECT asked.place, s.id, s.user_id, s.expires_at, m.role,
           coalesce(w.owner_id = s.user_id, false) AS is_owner,
           u.email_verified_at IS NOT NULL AS email_verified,
           u.disabled_at IS NOT NULL AS user_disabled,
           coalesce(w.members_can_mint_keys, false) AS members_can_mint,
           asked.workspace = '00000000-0000-0000-0000-000000000000'
               AND EXISTS (SELECT FROM join_requests r WHERE r.user_id = s.user_id) AS is_waiting
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (session, workspace, place)
    JOIN sessions s ON s.id = asked.session AND s.revoked_at IS NULL
    JOIN users u ON u.id = s.user_id
    LEFT JOIN memberships m ON m.workspace_id = asked.workspace AND m.user_id = s.user_id
    LEFT JOIN workspaces w ON w.id = m.workspace_id)"};

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
    std::int64_t place = 0; ///< of the question, from 1 on
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
                      (place, id, user_id, expires_at, role, is_owner, email_verified, user_disabled,
                       members_can_mint, is_waiting))

template <class Row>
boost::intrusive_ptr<principal> begin_principal(const Row& from, principal::kind_type kind)
{
    boost::intrusive_ptr<principal> who(new principal);
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

principal_ref to_principal(key_row from, scope_lists& scopes)
{
    auto who = begin_principal(from, principal::kind_type::api_key);
    who->workspace_id = from.workspace_id;
    who->expires_at = from.expires_at;
    who->prefix = from.prefix;
    who->scopes = scopes.share(std::move(from.scopes));
    who->digest = from.digest;
    return who;
}

principal_ref to_principal(const session_row& from, const credential_question& asked)
{
    auto who = begin_principal(from, principal::kind_type::session);
    who->workspace_id = asked.workspace_id;
    who->expires_at = std::min(from.expires_at, asked.token_expires);
    who->digest = asked.digest;
    who->is_waiting = from.is_waiting;
    return who;
}

} // namespace

awaitable<gatherer::answers> principals::ask_for_keys(std::vector<credential_question> asked)
{
    std::vector<digest> keys;
    keys.reserve(asked.size());
    boost::unordered_flat_map<digest, std::size_t, digest_hash> places;
    for (auto& each : asked) {
        places.emplace(each.digest, keys.size());
        keys.push_back(each.digest);
    }
    auto rows = co_await lookups_.run(find_key_principals, keys);
    gatherer::answers out(asked.size());
    for (auto& row : rows.as_vector<key_row>()) {
        auto place = places.at(row.digest);
        out[place] = to_principal(std::move(row), scopes_);
    }
    co_return out;
}

awaitable<gatherer::answers> principals::ask_for_sessions(std::vector<credential_question> asked)
{
    std::vector<uuid> sessions, workspaces;
    for (auto& each : asked) {
        sessions.push_back(each.session_id);
        workspaces.push_back(each.workspace_id.value_or(uuid{}));
    }
    auto rows = co_await lookups_.run(find_session_principals, sessions, workspaces);
    gatherer::answers out(asked.size());
    for (auto& row : rows.as_vector<session_row>()) {
        auto place = static_cast<std::size_t>(row.place - 1);
        out[place] = to_principal(row, asked[place]);
    }
    co_return out;
}

awaitable<principal_ref> principals::load_api_key(digest key)
{
    credential_question what;
    what.digest = key;
    return keys_.load(what, trusted());
}

awaitable<principal_ref> principals::load_session(digest token_digest, uuid session_id,
                                                  std::optional<uuid> workspace_id, timestamp token_expires)
{
    return sessions_.load({token_digest, session_id, workspace_id, token_expires}, trusted());
}

/* Why an answer may be handed out and yet not be kept. An eviction follows the commit of a change, and
   precedes the reply to whoever made the change. An answer whose look-up was sent before the eviction may
   show the state before the change. Everyone who waits for that look-up came before the eviction, so their
   requests overlap the change: both orders are right for them. Whoever comes after it must see the change,
   and does: the answer is not kept, forget_flights() lets nobody join it, and a statement sent from then on
   takes its snapshot after the commit. Without a lease nobody makes us forget, and only what has not been
   sent is joined at all. */
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
    keys_.part();
    sessions_.part();
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
