#include "handlers/authn/reauthentication.hpp"

#include "db/tables/sessions.hpp"
#include "handlers/authn/login_attempt.hpp"

namespace handlers {

namespace {

constexpr std::chrono::minutes fresh{5};

awaitable<bool> is_freshly_signed_in(call& c)
{
    auto& who = c.caller();
    if (who.kind != db::principal::kind_type::session)
        co_return false;
    auto opened = co_await db::sessions::find_opening(c.cx.db, who.credential_id);
    co_return opened && *opened > c.cx.now() - fresh;
}

} // namespace

awaitable<std::optional<problem>> require_reauthentication(call& c, const db::users::row& user,
                                                           std::optional<schemas::existing_password> password,
                                                           std::string_view field)
{
    if (!user.password_hash) {
        bool good = co_await is_freshly_signed_in(c);
        if (!good)
            co_return problem::forbidden("reauthentication_required",
                                         "Sign in again first: this needs a session under five minutes old.");
        co_return std::nullopt;
    }
    if (!password)
        co_return problem::invalid_field("body", field, "Field required", "missing");
    auto email = schemas::normalize_email(user.email);
    guess attempt(c, email);
    if (auto over = attempt.count())
        co_return over;
    bool good = co_await c.cx.hashers.verify(std::move(password->value), *user.password_hash);
    if (good)
        co_return std::nullopt;
    attempt.is_wrong();
    co_return problem::wrong_password();
}

} // namespace handlers
