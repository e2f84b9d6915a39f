#include "db/principals/principals.hpp"

#include "db/postgres/error.hpp"

#include <boost/asio/post.hpp>
#include <boost/describe/class.hpp>
#include <boost/endian/conversion.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <ctime>
#include <functional>
#include <utility>

namespace db {

namespace {

/// Entries that are evicted or freed in one turn of the reactor: each takes up to 200 ns.
constexpr std::size_t slice = 2000;

/// Seconds since an arbitrary origin. The coarse clock is read without a system call, in a few nanoseconds.
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
      absent_(settings.negative_cache_bytes), absent_until_(coarse_seconds() + max_age_),
      keys_(io, settings.batching, stamp_, std::bind_front(&principals::query_keys, this),
            std::bind_front(&principals::store, this)),
      sessions_(io, settings.batching, stamp_, std::bind_front(&principals::query_sessions, this),
                std::bind_front(&principals::store, this))
{}

principals::~principals() = default;

bool principals::holds_lease() const
{
    return !settings_.lease || settings_.lease->holds();
}

principals::cache_result principals::cached(const credential_hash& hash)
{
    if (!holds_lease())
        return {};
    auto found = cache_.find(hash, oldest_tick(coarse_seconds()));
    if (!found)
        return {};
    ++counts_.hits;
    return {state::hit, std::move(found)};
}

principals::cache_result principals::cached(const digest& key, const credential_hash& hash)
{
    auto out = cached(key);
    if (out.state == state::hit)
        cache_.remember(hash, key);
    return out;
}

principals::cache_result principals::cached(const digest& key)
{
    auto now = coarse_seconds();
    if (!holds_lease()) {
        ++counts_.misses;
        return {};
    }
    if (auto found = cache_.find(key, oldest_tick(now))) {
        ++counts_.hits;
        return {state::hit, std::move(found)};
    }
    if (absent_.contains(key)) {
        if (now < absent_until_) {
            ++counts_.negative_hits;
            return {state::negative_hit, nullptr};
        }
        absent_.clear(); // entries have no age of their own
        absent_until_ = now + max_age_;
    }
    ++counts_.misses;
    return {};
}

principals::counts principals::count() const
{
    auto out = counts_;
    out.evictions = cache_.evictions();
    out.entries = cache_.size();
    out.bytes = cache_.bytes();
    return out;
}

// One row has all but a setting of the workspace, which is read where it matters.
static const statement find_key_principals{"principals_find_keys", R"(
    SELECT digest, id, prefix, user_id, workspace_id, scopes, expires_at, role, is_owner, email_verified,
           user_disabled,
           CASE WHEN role = 'admin' THEN true
                ELSE (SELECT w.members_can_mint_keys FROM workspaces w WHERE w.id = workspace_id)
                END AS members_can_mint,
           membership_id
    FROM api_key_principals
    WHERE digest_head = ANY ($1))"};

// The nil id stands for a token without a workspace.
static const statement find_session_principals{"principals_find_sessions", R"(
    SELECT asked.number, s.id, s.user_id, m.role, m.id AS membership_id,
           least(s.expires_at, s.created_at + $4 * interval '1 second') AS expires_at,
           coalesce(w.owner_id = s.user_id, false) AS is_owner,
           u.email_verified_at IS NOT NULL AS email_verified,
           u.disabled_at IS NOT NULL AS user_disabled,
           coalesce(w.members_can_mint_keys, false) AS members_can_mint,
           asked.workspace = '00000000-0000-0000-0000-000000000000'
               AND EXISTS (SELECT FROM join_requests r WHERE r.user_id = s.user_id)
               AS has_pending_join_request
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY
         AS asked (session, workspace, membership, number)
    JOIN sessions s ON s.id = asked.session AND s.revoked_at IS NULL
    JOIN users u ON u.id = s.user_id
    LEFT JOIN memberships m
        ON m.workspace_id = asked.workspace AND m.user_id = s.user_id AND m.id = asked.membership
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
    std::optional<uuid> membership_id;
};
BOOST_DESCRIBE_STRUCT(key_row, (),
                      (digest, id, prefix, user_id, workspace_id, scopes, expires_at, role, is_owner,
                       email_verified, user_disabled, members_can_mint, membership_id))

struct session_row {
    /// Of the lookup, from 1 on.
    std::int64_t number = 0;
    uuid id{};
    uuid user_id{};
    timestamp expires_at;
    std::optional<db::role> role;
    std::optional<uuid> membership_id;
    bool is_owner = false;
    bool email_verified = false;
    bool user_disabled = false;
    bool members_can_mint = false;
    bool has_pending_join_request = false;
};
BOOST_DESCRIBE_STRUCT(session_row, (),
                      (number, id, user_id, expires_at, role, membership_id, is_owner, email_verified,
                       user_disabled, members_can_mint, has_pending_join_request))

/// The column digest_head of a key.
std::int64_t head_of(const digest& key)
{
    return boost::endian::load_big_s64(key.data());
}

template <class Row>
boost::intrusive_ptr<principal> make_principal(const Row& from, principal::kind_type kind)
{
    boost::intrusive_ptr<principal> out(new principal);
    out->kind = kind;
    out->credential_id = from.id;
    out->user_id = from.user_id;
    out->role = from.role;
    out->membership_id = from.membership_id;
    out->is_owner = from.is_owner;
    out->email_verified = from.email_verified;
    out->user_disabled = from.user_disabled;
    out->members_can_mint = from.members_can_mint;
    return out;
}

principal_ref to_principal(key_row from, scope_lists& scopes)
{
    auto out = make_principal(from, principal::kind_type::api_key);
    out->workspace_id = from.workspace_id;
    out->expires_at = from.expires_at;
    out->prefix = from.prefix;
    out->scopes = scopes.share(std::move(from.scopes));
    out->digest = from.digest;
    return out;
}

principal_ref to_principal(const session_row& from, const credential_lookup& lookup)
{
    auto out = make_principal(from, principal::kind_type::session);
    out->workspace_id = lookup.workspace_id;
    out->expires_at = std::min(from.expires_at, lookup.token_expires);
    out->digest = lookup.digest;
    out->has_pending_join_request = from.has_pending_join_request;
    return out;
}

} // namespace

/// @throw failure (unavailable) if there is no lease in time
awaitable<void> principals::await_lease()
{
    constexpr std::chrono::milliseconds interval(5);
    steady_timer timer(io_.get_executor());
    auto until = std::chrono::steady_clock::now() + settings_.lease_wait;
    while (!may_trust_answer()) {
        if (std::chrono::steady_clock::now() >= until)
            throw failure(failure_kind::unavailable,
                          "no lease: with several hosts, another may be the primary by now");
        timer.expires_after(interval);
        co_await timer.async_wait(use_awaitable);
    }
}

/// An answer counts if the lease holds when it arrives: until then no other primary has had a change settled.
template <class... Values>
awaitable<result> principals::run_under_lease(const statement& lookup, const Values&... values)
{
    for (;;) {
        if (!may_trust_answer())
            co_await await_lease();
        auto rows = co_await lookups_.run(lookup, values...);
        if (may_trust_answer())
            co_return rows;
    }
}

awaitable<batch_loader::principal_list> principals::query_keys(std::vector<credential_lookup> lookups)
{
    std::vector<std::int64_t> heads;
    heads.reserve(lookups.size());
    boost::unordered_flat_map<digest, std::size_t, digest_hash> positions;
    for (auto& each : lookups) {
        positions.emplace(each.digest, heads.size());
        heads.push_back(head_of(each.digest));
    }
    auto rows = co_await run_under_lease(find_key_principals, heads);
    batch_loader::principal_list out(lookups.size());
    for (auto& row : rows.as_vector<key_row>()) {
        auto asked = positions.find(row.digest);
        if (asked != positions.end()) // else another key with the head of one
            out[asked->second] = to_principal(std::move(row), scopes_);
    }
    co_return out;
}

awaitable<batch_loader::principal_list> principals::query_sessions(std::vector<credential_lookup> lookups)
{
    std::vector<uuid> sessions, workspaces, memberships;
    for (auto& each : lookups) {
        sessions.push_back(each.session_id);
        workspaces.push_back(each.workspace_id.value_or(uuid{}));
        memberships.push_back(each.membership_id.value_or(uuid{}));
    }
    auto max_age = settings_.session_max_age.count();
    auto rows = co_await run_under_lease(find_session_principals, sessions, workspaces, memberships, max_age);
    batch_loader::principal_list out(lookups.size());
    for (auto& row : rows.as_vector<session_row>()) {
        auto at = static_cast<std::size_t>(row.number - 1);
        out[at] = to_principal(row, lookups[at]);
    }
    co_return out;
}

awaitable<principal_ref> principals::load_api_key(digest key)
{
    credential_lookup wanted;
    wanted.digest = key;
    return keys_.load(wanted, holds_lease());
}

awaitable<principal_ref> principals::load_session(credential_lookup token)
{
    return sessions_.load(token, holds_lease());
}

/* A result may be returned and yet must not be cached. An eviction follows the commit of a change and
   precedes the response to its author. A result of a query that was sent before the eviction may show the
   state before the change. Every caller that waits for that query arrived before the eviction, so their
   requests overlap the change: either order is correct for them. A caller that arrives later must see the
   change, and does: the result is not cached, detach_in_flight() keeps it from sharing the query, and a
   statement sent from then on takes its snapshot after the commit. Without a lease no node notifies this one,
   so only unsent lookups are shared at all. */
void principals::store(const digest& key, const principal_ref& found, std::uint64_t stamp)
{
    if (stamp != stamp_)
        return;
    if (found)
        cache_.store(found, coarse_seconds());
    else
        absent_.store(key);
}

void principals::detach_in_flight()
{
    ++stamp_;
    keys_.detach_in_flight();
    sessions_.detach_in_flight();
}

void principals::evict(const invalidation& affected)
{
    for (auto is_first = true; !evict_slice(affected, is_first);)
        is_first = false;
}

bool principals::evict_slice(const invalidation& affected, bool is_first)
{
    if (affected.everything) {
        evict_all();
        return true;
    }
    if (is_first)
        detach_in_flight();
    auto at_most = slice;
    for (const auto* subjects : {&affected.credentials, &affected.users, &affected.workspaces})
        for (const auto& subject : *subjects)
            if (!cache_.evict(subject, at_most))
                return false;
    for (const auto& key : affected.digests) {
        cache_.evict(key);
        absent_.evict(key);
    }
    return true;
}

void principals::evict_all()
{
    detach_in_flight();
    cache_.clear();
    absent_.clear();
    if (!std::exchange(*freeing_, true))
        free_evicted();
}

/// A core with a full cache would stand still for a tenth of a second if it freed all of it at once.
void principals::free_evicted()
{
    boost::asio::post(io_, [this, alive = std::weak_ptr(freeing_)] {
        if (alive.expired())
            return;
        if (cache_.free_evicted(slice))
            free_evicted();
        else
            *freeing_ = false;
    });
}

} // namespace db
