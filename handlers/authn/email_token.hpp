// One-time tokens of links in email, looked up before they are consumed.
#pragma once

#include "db/tables/one_time_tokens.hpp"
#include "handlers/http/context.hpp"

#include <optional>
#include <string>

namespace handlers {

/** A token that is valid at the time of the lookup. The transaction that acts on it consumes it with
    db::one_time_tokens::add_consume(); of two concurrent ones, one fails, and dispatch answers 400
    invalid_token. */
struct email_token {
    db::digest digest{};
    db::uuid user_id{};
    /// The address that the token was sent to.
    std::string email;
};

/** @return nothing if the token is unknown, of another purpose, used, replaced or expired: answer
    codes::invalid_token */
awaitable<std::optional<email_token>> find_email_token(call& c, std::string text,
                                                       db::one_time_tokens::purpose purpose);

} // namespace handlers
