#include "server/mail/worker.hpp"

#include "crypto/encoding.hpp"
#include "crypto/seal.hpp"
#include "crypto/token_signer.hpp"
#include "db/postgres/pool.hpp"
#include "db/tables/outbox.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/mail/unsubscribe.hpp"
#include "server/log.hpp"
#include "server/mail/mail_transport.hpp"
#include "server/mail/templates.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/json/parse.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <limits>

namespace server {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

namespace {

/// More than one, so that a slow mail server of one recipient does not delay all others.
constexpr std::size_t worker_count = 2;
constexpr milliseconds poll_interval{250};
constexpr milliseconds first_backoff{1'000}, max_message_backoff{60'000}, max_server_backoff{30'000};
constexpr std::chrono::hours retry_deadline{24};
constexpr std::chrono::seconds shutdown_grace{5};

/// Exponential backoff.
milliseconds backoff(std::int32_t attempts, milliseconds limit)
{
    return std::min(limit, first_backoff * (1 << std::clamp(attempts, 0, 10)));
}

} // namespace

/// One thread with its own database connection and transport.
class mail_worker_pool::worker {
public:
    worker(const config& settings, const std::atomic<std::int64_t>& abort_at)
        : settings_(settings), abort_at_(abort_at), sealer_(settings.keys.derive(crypto::purpose::seal)),
          unsubscribe_signer_(settings.keys.derive(crypto::purpose::unsubscription)),
          db_(io_, database_settings(settings), 1), timer_(io_.get_executor())
    {
        if (settings.smtp)
            transport_ = make_smtp_transport(*settings.smtp, [this] { return must_abort(); });
        else
            transport_ = make_file_transport(settings.data_dir + "/mail");
    }

    void run()
    {
        asio::co_spawn(io_, work(), asio::detached);
        io_.run();
    }

    /// End a sleep early. From any thread.
    void wake()
    {
        asio::post(io_, [this] { timer_.cancel(); });
    }

private:
    bool is_stopping() const { return abort_at_ != std::numeric_limits<std::int64_t>::max(); }
    bool must_abort() const { return clock::now().time_since_epoch().count() >= abort_at_; }

    db::awaitable<void> work()
    {
        // Consecutive failures.
        std::int32_t server_failures = 0;
        bool is_database_down = false;
        while (!is_stopping()) {
            bool is_idle = true;
            std::string error;
            try {
                is_idle = !co_await send_next(server_failures);
                is_database_down = false;
            } catch (const std::exception& e) {
                error = e.what();
            }
            if (!error.empty()) {
                if (!is_database_down) // once per outage
                    log_line(log_level::warning, "outbox unavailable").add("cause", error);
                is_database_down = true;
                co_await rollback();
            }
            if (server_failures > 0)
                co_await sleep_for(backoff(server_failures - 1, max_server_backoff));
            else if (is_idle)
                co_await sleep_for(poll_interval);
        }
        co_await db_.close();
        io_.stop();
    }

    /// End the transaction that a failure may have left open.
    db::awaitable<void> rollback()
    {
        try {
            co_await db::outbox::rollback(db_);
        } catch (const db::failure&) { // the connection is lost, and the transaction with it
        }
    }

    db::awaitable<void> sleep_for(milliseconds time)
    {
        boost::system::error_code ignored;
        if (is_stopping())
            co_return;
        timer_.expires_after(time);
        co_await timer_.async_wait(asio::redirect_error(db::use_awaitable, ignored));
    }

    /// @return false if no message was due
    db::awaitable<bool> send_next(std::int32_t& server_failures)
    {
        auto row = co_await db::outbox::claim_next(db_);
        if (!row)
            co_return false;
        auto result = deliver(*row);
        bool is_past_deadline = std::chrono::system_clock::now() - row->created_at > retry_deadline;
        if (result.status == delivery::deferred && is_past_deadline)
            result.status = delivery::failed;
        log_delivery(*row, result);
        server_failures = result.server_unavailable ? server_failures + 1 : 0;
        switch (result.status) {
        case delivery::sent:
            co_await db::outbox::mark_sent(db_, row->id);
            break;
        case delivery::deferred:
            co_await db::outbox::postpone(db_, row->id, backoff(row->attempts, max_message_backoff),
                                          result.cause);
            break;
        case delivery::failed:
            co_await db::outbox::mark_failed(db_, row->id, result.cause);
            break;
        }
        co_return true;
    }

    /// Render and send. Blocks; meanwhile the row stays locked and the database connection idle.
    delivery deliver(const db::outbox::row& row)
    {
        std::string token;
        if (row.sealed_token) {
            auto opened = sealer_.open(*row.sealed_token, handlers::mail_seal_context(row.id));
            if (!opened)
                return {delivery::failed, false, "sealed with a different master key"};
            token = crypto::text_of(*opened);
        }
        auto message = render(row, token);
        auto result = transport_->send(message);
        // Without the link, which carries a token: it is in the file, which only its owner may read.
        if (result.status == delivery::sent && !settings_.smtp)
            log_line(log_level::info, "mail written to file")
                .add("to", row.recipient)
                .add("subject", message.subject)
                .add("file", to_string(row.id) + ".eml");
        return result;
    }

    mail_message render(const db::outbox::row& row, std::string_view token)
    {
        // The content.
        std::string_view kind = boost::describe::enum_to_string(row.kind, "");
        branding site{settings_.handlers.public_url, settings_.display_name()};
        auto content = render_email(row.kind, boost::json::parse(row.variables).as_object(), site, token);

        // The header fields.
        mail_message message;
        message.from = settings_.mail_from;
        message.to = {row.name.value_or(""), row.recipient};
        message.subject = content.subject;
        message.id = to_string(row.id) + message.from.address.substr(message.from.address.find('@'));
        message.date = mail_date();
        message.headers.emplace_back("Auto-Submitted", "auto-generated");
        message.headers.emplace_back("X-Latchkey-Kind", kind);

        // One-click unsubscription (RFC 8058).
        handlers::unsubscribe_links links;
        if (row.user_id && handlers::can_unsubscribe(kind)) {
            links =
                handlers::make_unsubscribe_links(unsubscribe_signer_, site.public_url, *row.user_id, kind);
            message.headers.emplace_back("List-Unsubscribe", "<" + links.one_click + ">");
            message.headers.emplace_back("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        }
        message.text = to_plain_text(content, row.name, links.page);
        message.html = to_html(content, row.name, links.page);
        return message;
    }

    static void log_delivery(const db::outbox::row& row, const delivery& result)
    {
        auto level = result.status == delivery::sent ? log_level::debug : log_level::warning;
        auto event = result.status == delivery::sent       ? "mail sent"
                     : result.status == delivery::deferred ? "mail delivery deferred"
                                                           : "mail delivery failed permanently";
        log_line line(level, event);
        line.add("mail", to_string(row.id)).add("kind", boost::describe::enum_to_string(row.kind, ""));
        line.add("attempt", row.attempts + 1);
        if (!result.cause.empty())
            line.add("cause", result.cause);
    }

    const config& settings_;
    const std::atomic<std::int64_t>& abort_at_;
    crypto::sealer sealer_;
    crypto::token_signer unsubscribe_signer_;
    std::unique_ptr<mail_transport> transport_;
    asio::io_context io_{1};
    db::pool db_;
    db::steady_timer timer_;
};

mail_worker_pool::mail_worker_pool(const config& settings)
    : abort_at_(std::numeric_limits<std::int64_t>::max())
{
    for (std::size_t i = 0; i < worker_count; ++i)
        workers_.emplace_back(settings, abort_at_);
    for (auto& worker : workers_)
        threads_.emplace_back([&worker] { worker.run(); });
}

mail_worker_pool::~mail_worker_pool()
{
    abort_at_ = (clock::now() + shutdown_grace).time_since_epoch().count();
    for (auto& worker : workers_)
        worker.wake();
    for (auto& thread : threads_)
        thread.join();
}

} // namespace server
