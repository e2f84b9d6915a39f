#include "server/jobs/maintenance.hpp"

#include "db/tables/oauth.hpp"
#include "db/tables/retention.hpp"
#include "handlers/oidc/provider_tokens.hpp"
#include "server/log.hpp"
#include "server/provider.hpp"

#include <boost/asio/redirect_error.hpp>

#include <utility>

namespace server {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds between_looks{1}, between_attempts{30}, between_purges{60};
constexpr std::chrono::hours try_for{7 * 24};
constexpr int at_once = 8;

} // namespace

upkeep::upkeep(db::executor where, db::pool& db, const crypto::sealer& sealer, const config& settings)
    : where_(where), db_(db), sealer_(sealer)
{
    if (auto provider = provider_settings(settings)) {
        web_.emplace(where, handlers::https_client::config());
        provider_.emplace(where, *web_, std::move(*provider));
    }
}

db::awaitable<void> upkeep::run()
{
    db::steady_timer timer(where_);
    auto purged = clock::now() - between_purges;
    bool failing = false;
    for (;;) {
        try {
            co_await revoke_grants();
            if (clock::now() - purged >= between_purges) {
                purged = clock::now();
                co_await db::purge(db_);
            }
            failing = false;
        } catch (const std::exception& e) {
            if (!std::exchange(failing, true)) // told once, not every second
                log_line(log_level::warning, "upkeep fails").add("cause", e.what());
        }
        boost::system::error_code ignored;
        timer.expires_after(between_looks);
        co_await timer.async_wait(boost::asio::redirect_error(db::use_awaitable, ignored));
    }
}

/** What has been taken is not due again for a while: meanwhile another node may do it, or this one again. */
db::awaitable<void> upkeep::revoke_grants()
{
    auto due = co_await db::oauth::take_revocations(db_, between_attempts, at_once);
    for (auto& one : due) {
        auto tokens = handlers::open_tokens(sealer_, one.sealed_tokens);
        auto went = answer::refused; // sealed under another master key
        if (tokens)
            went = co_await revoke(tokens->longest());
        bool is_late = std::chrono::system_clock::now() - one.created_at > try_for;
        if (went == answer::none && !is_late)
            continue;
        if (went != answer::done)
            log_line(log_level::warning, "grant not given back").add("provider", one.provider);
        co_await db::oauth::settle_revocation(db_, one.id);
    }
}

db::awaitable<upkeep::answer> upkeep::revoke(std::string token)
{
    if (!provider_)
        co_return answer::none;
    try {
        bool done = co_await provider_->revoke(std::move(token));
        co_return done ? answer::done : answer::refused;
    } catch (const handlers::oidc_failure& e) {
        log_line(log_level::warning, "grant not given back yet").add("cause", e.what());
        co_return answer::none;
    }
}

} // namespace server
