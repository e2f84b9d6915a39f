#include "handlers/authn/reauthentication.hpp"

#include "db/postgres/pool.hpp"
#include "db/tables/sessions.hpp"
#include "handlers/authn/login_attempt.hpp"

namespace handlers {

namespace {

constexpr std::chrono::minutes max_session_age{5};

} // namespace

awaitable<std::optional<db::timestamp>> find_fresh_sign_in(call& c)
{
    auto& caller = c.caller();
    if (caller.kind != db::principal::kind_type::session)
        co_return std::nullopt;
    auto created_at = co_await db::sessions::find_created_at(c.cx.db, caller.credential_id);
    if (created_at && *created_at <= c.cx.now() - max_session_age)
        created_at.reset();
    co_return created_at;
}

awaitable<bool> has_fresh_session(call& c)
{
    auto signed_in_at = co_await find_fresh_sign_in(c);
    co_return signed_in_at.has_value();
}

awaitable<std::optional<problem>> require_reauthentication(call& c, const db::users::row& user,
                                                           std::optional<schemas::existing_password> password,
                                                           std::string_view field)
{
    if (!user.password_hash) {
        bool is_fresh = co_await has_fresh_session(c);
        if (!is_fresh)
            co_return problem::of(codes::reauthentication_required);
        co_return std::nullopt;
    }
    if (!password)
        co_return problem::invalid_field("body", field, "Field required", "missing");
    login_attempt attempt(c, schemas::normalize_email(user.email));
    auto over = co_await attempt.count();
    if (over)
        co_return over;
    auto matches = co_await attempt.check(std::move(*password), user.id, *user.password_hash);
    if (!matches)
        co_return matches.error();
    if (*matches)
        co_return std::nullopt;
    co_return problem::of(codes::invalid_credentials.with_status(403), "The password is incorrect.");
}

} // namespace handlers
