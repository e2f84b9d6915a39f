// Session tokens: a JWT access token, and the refresh token that renews it.
#pragma once

#include "db/principals/role.hpp"
#include "db/tables/memberships.hpp"
#include "handlers/http/context.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace handlers {

/// The workspace of an access token, with the user's membership there.
struct token_workspace {
    db::uuid id{};
    db::uuid membership_id{};
    db::role role = db::role::member;
};

/// The workspace that a login opens, for its access token.
std::optional<token_workspace>
to_token_workspace(const std::optional<db::memberships::workspace_membership>& opened);

/// The session that tokens are issued for, with the workspace that it is signed in to.
struct token_subject {
    db::uuid user{};
    db::uuid session{};
    std::optional<token_workspace> workspace;
    /// Of the session: no access token outlives it.
    db::timestamp session_expires;
    /// Number of refreshes of the session so far.
    std::int64_t counter = 0;
    /// The session's. Needed for a refresh token only.
    std::span<const std::uint8_t> salt;
};

struct access_token {
    std::string text;
    /// Seconds.
    std::int64_t expires_in = 0;
};

/** A JWT that names the session, its workspace and the membership there, valid for the configured time or
    until the session expires. */
access_token make_access_token(const context& cx, const token_subject& subject);

/** The refresh token of a session at a counter: session, counter, and an HMAC over both and the session's
    salt. It is deterministic, so that a retry gets the same successor; neither the database nor the master
    key alone can forge one. */
std::string make_refresh_token(context& cx, const token_subject& subject);

/// Fills in the tokens that sign-up, login and refresh respond with.
template <class Result>
void issue_tokens(context& cx, const token_subject& subject, Result& out)
{
    auto access = make_access_token(cx, subject);
    out.access_token = std::move(access.text);
    out.expires_in = access.expires_in;
    out.refresh_token = make_refresh_token(cx, subject);
}

/// The parts of a refresh token, not authenticated yet.
struct refresh_token {
    db::uuid session{};
    std::int64_t counter = 0;
    db::digest mac{};
};

std::optional<refresh_token> parse_refresh_token(std::string_view text);

/// Whether make_refresh_token() made the token. Constant time.
bool is_authentic(context& cx, const refresh_token& token, std::span<const std::uint8_t> salt);

} // namespace handlers
