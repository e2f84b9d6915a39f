#include "handlers/mail/verified_sender.hpp"

#include "db/tables/api_keys.hpp"
#include "handlers/http/context.hpp"

namespace handlers {

awaitable<std::optional<problem>> require_verified_sender(call& c)
{
    auto& caller = c.caller();
    bool is_verified = caller.email_verified;
    if (!caller.user_id)
        is_verified =
            co_await db::api_keys::has_verified_creator(c.cx.db, *caller.workspace_id, caller.credential_id);
    if (is_verified)
        co_return std::nullopt;
    co_return problem::of(codes::email_not_verified);
}

} // namespace handlers
