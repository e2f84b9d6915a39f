// The two tokens of a session: a JWT to call with, and a refresh token to get the next one by.
#pragma once

#include "db/principals/role.hpp"
#include "handlers/http/context.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace handlers {

/** Whose tokens they are: a session, the workspace it leads to, and how often it has been refreshed. */
struct token_subject {
    db::uuid user{};
    db::uuid session{};
    std::optional<db::uuid> workspace;
    std::optional<db::role> role;
    std::int64_t counter = 0;
    std::span<const std::uint8_t> salt; // the session's
};

/** A JWT for a session, naming the workspace it leads to. Good for the configured time. */
std::string make_access_token(const context& cx, const token_subject& whose);

/** The refresh token of a session at a counter: session, counter and an HMAC over both and the session's
   salt. It can be made again, so that a retry gets the same successor, and neither the database nor the
   master key alone can forge one. */
std::string make_refresh_token(context& cx, const token_subject& whose);

/** Fill in the tokens that signing up, signing in and refreshing answer with alike. */
template <class Result>
void issue_tokens(context& cx, const token_subject& whose, Result& out)
{
    out.access_token = make_access_token(cx, whose);
    out.expires_in = cx.config.access_token_ttl.count();
    out.refresh_token = make_refresh_token(cx, whose);
}

/** A refresh token taken apart; nothing is known about its truth yet. */
struct refresh_token {
    db::uuid session{};
    std::int64_t counter = 0;
    db::digest mac{};
};

std::optional<refresh_token> read_refresh_token(std::string_view text);

/** Whether the token is one that make_refresh_token made. In constant time. */
bool is_genuine(context& cx, const refresh_token& token, std::span<const std::uint8_t> salt);

} // namespace handlers
