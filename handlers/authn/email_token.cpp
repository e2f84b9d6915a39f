#include "handlers/authn/email_token.hpp"

#include "crypto/one_time_token.hpp"

namespace handlers {

awaitable<std::optional<email_token>> find_email_token(call& c, std::string text,
                                                       db::one_time_tokens::purpose purpose)
{
    auto digest = crypto::one_time_token_digest(text);
    if (!digest)
        co_return std::nullopt;
    auto found = co_await db::one_time_tokens::find(c.cx.db, *digest, purpose);
    if (!found)
        co_return std::nullopt;
    co_return email_token{*digest, found->user_id, std::move(found->email)};
}

} // namespace handlers
