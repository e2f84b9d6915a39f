#include "server/mail/worker.hpp"

#include "crypto/encoding.hpp"
#include "crypto/seal.hpp"
#include "crypto/token_signer.hpp"
#include "db/postgres/pool.hpp"
#include "db/postgres/spawn.hpp"
#include "db/tables/outbox.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/mail/unsubscribe.hpp"
#include "server/log.hpp"
#include "server/mail/mail_transport.hpp"
#include "server/mail/templates.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/json/parse.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

namespace server {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

namespace {

/// Of the outbox; the second when there has been no mail for a while.
constexpr milliseconds poll_interval{250}, idle_poll_interval{1'000};
constexpr std::chrono::seconds idle_after{30};
constexpr milliseconds first_backoff{1'000}, max_message_backoff{50'000}, max_server_backoff{30'000};
constexpr std::chrono::hours retry_deadline{24};
constexpr std::chrono::seconds shutdown_grace{5};
/// Longer than an attempt of the SMTP transport takes.
constexpr std::chrono::seconds claim_duration{55};

/// Exponential backoff.
milliseconds backoff(std::int32_t attempts, milliseconds limit)
{
    return std::min(limit, first_backoff * (1 << std::clamp(attempts, 0, 10)));
}

void log_delivery(const db::outbox::row& row, const delivery& result)
{
    auto level = result.status == delivery::sent ? log_level::debug : log_level::warning;
    auto event = result.status == delivery::sent       ? "mail sent"
                 : result.status == delivery::deferred ? "mail delivery deferred"
                                                       : "mail delivery failed permanently";
    log_line line(level, event);
    line.add("mail", to_string(row.id)).add("kind", boost::describe::enum_to_string(row.kind, ""));
    line.add("attempt", row.attempts);
    if (!result.cause.empty())
        line.add("cause", result.cause);
}

/// A thread that renders and sends one message after another, with a connection to the mail server that it
/// keeps.
class sender {
public:
    using callback = std::function<void(delivery)>;

    /// @param abort_at ticks of the steady clock at which a delivery is aborted
    sender(const config& settings, const std::atomic<std::int64_t>& abort_at)
        : settings_(settings), sealer_(settings.keys),
          unsubscribe_signer_(settings.keys.derive(crypto::purpose::unsubscription))
    {
        auto must_abort = [&abort_at] { return clock::now().time_since_epoch().count() >= abort_at; };
        if (settings.smtp)
            transport_ = make_smtp_transport(*settings.smtp, must_abort);
        else
            transport_ = make_file_transport(settings.data_dir + "/mail");
        thread_ = std::thread([this] {
            pthread_setname_np(pthread_self(), "smtp");
            io_.run();
        });
    }

    /// Waits for the delivery in progress.
    ~sender()
    {
        work_.reset();
        thread_.join();
    }
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;

    /// @param done called on the sender's thread
    void send(db::outbox::row row, callback done)
    {
        asio::post(io_, [this, row = std::move(row), done = std::move(done)] { done(try_deliver(row)); });
    }

private:
    /// A message that cannot be rendered must not stop the others.
    delivery try_deliver(const db::outbox::row& row)
    {
        try {
            return deliver(row);
        } catch (const std::exception& e) {
            return {delivery::deferred, false, e.what()};
        }
    }

    delivery deliver(const db::outbox::row& row)
    {
        std::string token;
        if (row.sealed_token) {
            auto opened = sealer_.open(crypto::seal_purpose::outbox_token, *row.sealed_token,
                                       handlers::mail_seal_context(row.id));
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
        auto site = to_branding(settings_.handlers);
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
        message.html = to_html(content, site, row.name, links.page);
        return message;
    }

    const config& settings_;
    crypto::sealer sealer_;
    crypto::token_signer unsubscribe_signer_;
    std::unique_ptr<mail_transport> transport_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    std::thread thread_;
};

} // namespace

/// A thread that claims messages, hands them to senders, and records the results.
class mail_worker_pool::dispatcher {
public:
    explicit dispatcher(const config& settings)
        : settings_(settings), reserved_(std::max(1U, settings.smtp_connections / 4)),
          db_(io_, database_settings(settings), 1), timer_(io_.get_executor())
    {
        db::spawn(io_.get_executor(), work());
        thread_ = std::thread([this] {
            pthread_setname_np(pthread_self(), "mail");
            io_.run();
        });
    }

    ~dispatcher()
    {
        abort_at_ = (clock::now() + shutdown_grace).time_since_epoch().count();
        asio::post(io_, [this] { timer_.cancel(); });
        thread_.join();
    }
    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;

private:
    using lane = db::outbox::lane;

    struct outcome {
        db::outbox::row row;
        delivery result;
    };

    bool is_stopping() const { return abort_at_ != std::numeric_limits<std::int64_t>::max(); }

    unsigned sending() const { return security_sending_ + bulk_sending_; }

    /// How many more messages of a lane may be sent now.
    unsigned free_slots(lane which) const
    {
        if (is_stopping() || clock::now() < paused_until_)
            return 0;
        if (server_failures_ > 0)
            return sending() == 0 ? 1 : 0;
        auto free = settings_.smtp_connections - sending();
        auto bulk = settings_.smtp_connections - reserved_;
        return which == lane::security ? free : std::min(free, bulk - std::min(bulk, bulk_sending_));
    }

    db::awaitable<void> work()
    {
        bool is_database_down = false;
        while (!is_stopping() || sending() > 0 || !results_.empty()) {
            bool is_idle = true;
            std::string error;
            try {
                co_await record_results();
                is_idle = !co_await claim(lane::security);
                is_idle = !co_await claim(lane::bulk) && is_idle;
                is_database_down = false;
            } catch (const std::exception& e) {
                error = e.what();
            }
            if (!error.empty() && !is_database_down) // once per outage
                log_line(log_level::warning, "outbox unavailable").add("cause", error);
            is_database_down = !error.empty();
            if (is_database_down && is_stopping() && sending() == 0)
                break; // their claims expire
            if (results_.empty() || is_database_down)
                co_await sleep(is_idle);
        }
        co_await db_.close();
        io_.stop();
    }

    /// Until a delivery ends, or for the poll interval.
    db::awaitable<void> sleep(bool is_idle)
    {
        boost::system::error_code ignored;
        if (!is_idle && free_slots(lane::security) > 0 && !is_stopping())
            co_return; // there may be more
        timer_.expires_after(clock::now() - last_claim_ < idle_after ? poll_interval : idle_poll_interval);
        co_await timer_.async_wait(asio::redirect_error(db::use_awaitable, ignored));
    }

    /// @return whether a message was claimed
    db::awaitable<bool> claim(lane which)
    {
        auto slots = free_slots(which);
        if (slots == 0)
            co_return false;
        auto rows = co_await db::outbox::claim(db_, which, static_cast<int>(slots), claim_duration);
        if (!rows.empty())
            last_claim_ = clock::now();
        for (auto& row : rows)
            start(std::move(row), which);
        co_return !rows.empty();
    }

    void start(db::outbox::row row, lane which)
    {
        if (idle_.empty())
            idle_.push_back(&senders_.emplace_back(settings_, abort_at_));
        auto by = idle_.back();
        idle_.pop_back();
        ++(which == lane::security ? security_sending_ : bulk_sending_);
        auto copy = row;
        by->send(std::move(row), [this, by, which, row = std::move(copy)](const delivery& result) {
            asio::post(io_, [this, by, which, row, result] {
                idle_.push_back(by);
                --(which == lane::security ? security_sending_ : bulk_sending_);
                results_.push_back({row, result});
                timer_.cancel();
            });
        });
    }

    /// Records the results so far. Those that cannot be recorded stay for the next attempt.
    db::awaitable<void> record_results()
    {
        std::vector<db::uuid> sent;
        for (auto& each : results_)
            if (each.result.status == delivery::sent)
                sent.push_back(each.row.id);
        if (!sent.empty())
            co_await db::outbox::mark_sent(db_, sent);
        std::erase_if(results_, [&](const outcome& each) {
            if (std::ranges::find(sent, each.row.id) == sent.end())
                return false;
            conclude(each);
            return true;
        });
        while (!results_.empty() && results_.front().result.status != delivery::sent) {
            auto& each = results_.front();
            co_await record_failure(each);
            conclude(each);
            results_.pop_front();
        }
    }

    db::awaitable<void> record_failure(outcome& each)
    {
        auto& [row, result] = each;
        if (std::chrono::system_clock::now() - row.created_at > retry_deadline)
            result.status = delivery::failed;
        if (result.status == delivery::failed)
            co_await db::outbox::mark_failed(db_, row.id, row.attempts, result.cause);
        else
            co_await db::outbox::postpone(db_, row.id, row.attempts,
                                          backoff(row.attempts - 1, max_message_backoff), result.cause);
    }

    void conclude(const outcome& each)
    {
        log_delivery(each.row, each.result);
        count_failure(each.result);
    }

    /// Messages that were sent at the same time and failed for the same reason count once.
    void count_failure(const delivery& result)
    {
        if (!result.server_unavailable)
            server_failures_ = 0;
        else if (clock::now() >= paused_until_) {
            paused_until_ = clock::now() + backoff(server_failures_, max_server_backoff);
            ++server_failures_;
        }
    }

    const config& settings_;
    const unsigned reserved_;

    /// Ticks of the steady clock at which deliveries are aborted; the largest value: not stopping.
    std::atomic<std::int64_t> abort_at_{std::numeric_limits<std::int64_t>::max()};
    asio::io_context io_{1};
    db::pool db_;
    db::steady_timer timer_;

    /// Created when they are needed.
    std::deque<sender> senders_;
    std::vector<sender*> idle_;
    unsigned security_sending_ = 0, bulk_sending_ = 0;

    std::deque<outcome> results_;

    /// When there was a message to send.
    clock::time_point last_claim_ = clock::now();

    /// Consecutive failures that concern every message.
    std::int32_t server_failures_ = 0;
    clock::time_point paused_until_{};
    std::thread thread_;
};

mail_worker_pool::mail_worker_pool(const config& settings)
    : dispatcher_(std::make_unique<dispatcher>(settings))
{}

mail_worker_pool::~mail_worker_pool() = default;

} // namespace server
