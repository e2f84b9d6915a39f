#include "server/jobs/maintenance.hpp"

#include "db/tables/oauth.hpp"
#include "handlers/oidc/provider_tokens.hpp"
#include "server/log.hpp"

#include <boost/asio/redirect_error.hpp>

#include <utility>

namespace server {

namespace {

constexpr std::chrono::seconds poll_interval{5}, retry_interval{30};
constexpr std::chrono::hours retry_deadline{7 * 24};
constexpr int batch_size = 8;

/// A sweep's pauses while there is more to delete, as a multiple of its work, and at most.
constexpr int pause_factor = 9;
constexpr std::chrono::seconds max_pause{1};

} // namespace

maintenance::maintenance(db::executor executor, db::pool& db, const crypto::sealer& sealer,
                         const config& settings)
    : executor_(executor), db_(db), sealer_(sealer), retention_(db, settings.retention)
{
    if (auto provider = oidc_provider_settings(settings)) {
        https_.emplace(executor, handlers::https_client::config());
        provider_.emplace(executor, *https_, std::move(*provider));
    }
}

db::awaitable<void> maintenance::wait(clock::duration duration)
{
    db::steady_timer timer(executor_, duration);
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(db::use_awaitable, ignored));
}

db::awaitable<void> maintenance::run()
{
    bool is_failing = false;
    for (;;) {
        try {
            co_await revoke_provider_tokens();
            is_failing = false;
        } catch (const std::exception& e) {
            if (!std::exchange(is_failing, true)) // once per outage
                log_line(log_level::warning, "maintenance failed").add("cause", e.what());
        }
        co_await wait(poll_interval);
    }
}

db::awaitable<void> maintenance::sweep_tables()
{
    bool is_failing = false;
    for (;;) {
        auto pause = clock::duration(poll_interval);
        try {
            auto since = clock::now();
            if (co_await retention_.step())
                pause = std::min<clock::duration>(max_pause, pause_factor * (clock::now() - since));
            is_failing = false;
        } catch (const std::exception& e) {
            if (!std::exchange(is_failing, true))
                log_line(log_level::warning, "retention failed").add("cause", e.what());
        }
        co_await wait(pause);
    }
}

/** Revoke a batch of queued provider tokens. A claimed row becomes due again after retry_interval, on any
    node, unless it is deleted. */
db::awaitable<void> maintenance::revoke_provider_tokens()
{
    auto due = co_await db::oauth::claim_revocations(db_, retry_interval, batch_size);
    for (auto& row : due) {
        auto tokens = handlers::open_tokens(sealer_, row.sealed_tokens);
        auto result = revocation::rejected; // sealed with a different master key
        if (tokens)
            result = co_await revoke(row.issuer, tokens->revocation_target());
        bool is_past_deadline = std::chrono::system_clock::now() - row.created_at > retry_deadline;
        if (result == revocation::deferred && !is_past_deadline)
            continue;
        if (result != revocation::done)
            log_line(log_level::warning, "provider token revocation failed").add("provider", row.provider);
        co_await db::oauth::delete_revocation(db_, row.id);
    }
}

/// A token goes to its own issuer only, which may be another one than the configuration names now.
db::awaitable<maintenance::revocation> maintenance::revoke(std::string issuer, std::string token)
{
    if (!provider_ || provider_->issuer() != issuer)
        co_return revocation::deferred;
    try {
        bool is_revoked = co_await provider_->revoke(std::move(token));
        co_return is_revoked ? revocation::done : revocation::rejected;
    } catch (const handlers::oidc_failure& e) {
        log_line(log_level::warning, "provider token revocation deferred").add("cause", e.what());
        co_return revocation::deferred;
    }
}

} // namespace server
