// Tokens that come back from a mail.
#pragma once

#include "db/tables/one_time_tokens.hpp"
#include "handlers/http/context.hpp"

#include <optional>
#include <string_view>

namespace handlers {

/** A token that is good so far. Spending it is part of what is done with it:
   db::one_time_tokens::add_spend(). A batch that fails because another was quicker is answered 400
   invalid_token, without the handler's doing. */
struct mailed_token {
    db::digest digest{};
    db::uuid user_id{};
    std::string email; ///< the address that it was sent to
};

/** @return nothing if it is unknown, of another purpose, spent, replaced or expired: answer
 * problem::spent_token() */
awaitable<std::optional<mailed_token>> find_mailed_token(call& c, std::string text,
                                                         db::one_time_tokens::purpose what);

} // namespace handlers
