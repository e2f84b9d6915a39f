#include "server/mail/worker.hpp"

#include "crypto/encoding.hpp"
#include "crypto/token_signer.hpp"
#include "db/postgres/pool.hpp"
#include "db/tables/outbox.hpp"
#include "handlers/endpoints/notifications.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "server/log.hpp"
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

constexpr std::size_t workers_each = 2; // so that one slow recipient does not hold up all others
constexpr milliseconds between_looks{250};
constexpr milliseconds first_wait{1'000}, longest_wait{60'000}, longest_rest{30'000};
constexpr std::chrono::hours try_for{24};
constexpr std::chrono::seconds farewell{5};

/** Twice as long each time. */
milliseconds backoff(std::int32_t attempts, milliseconds most)
{
    return std::min(most, first_wait * (1 << std::clamp(attempts, 0, 10)));
}

/** A letter, and its link for the log of who has no mail server. */
struct written {
    mail letter;
    std::string link;
};

} // namespace

class mailer::worker {
public:
    worker(const config& settings, const std::atomic<std::int64_t>& stops_at)
        : settings_(settings), stops_at_(stops_at), sealer_(settings.keys.derive(crypto::purpose::seal)),
          unsubscriptions_(settings.keys.derive(crypto::purpose::unsubscription)),
          db_(io_, database_settings(settings), 1), timer_(io_.get_executor())
    {
        if (settings.smtp)
            transport_ = send_by_smtp(*settings.smtp, [this] { return has_to_go(); });
        else
            transport_ = send_to_folder(settings.data_dir + "/mail");
    }

    void run()
    {
        asio::co_spawn(io_, work(), asio::detached);
        io_.run();
    }

    /** From any thread. */
    void wake()
    {
        asio::post(io_, [this] { timer_.cancel(); });
    }

private:
    bool is_stopping() const { return stops_at_ != std::numeric_limits<std::int64_t>::max(); }
    bool has_to_go() const { return clock::now().time_since_epoch().count() >= stops_at_; }

    db::awaitable<void> work()
    {
        std::int32_t cut_off = 0; // in a row
        bool failing = false;     // the database
        while (!is_stopping()) {
            bool idle = true;
            std::string trouble;
            try {
                idle = !co_await send_one(cut_off);
                failing = false;
            } catch (const std::exception& e) {
                trouble = e.what();
            }
            if (!trouble.empty()) {
                if (!failing)
                    log_line(log_level::warning, "mail waits for the database").add("cause", trouble);
                failing = true;
                co_await let_go();
            }
            if (cut_off > 0)
                co_await rest(backoff(cut_off - 1, longest_rest));
            else if (idle)
                co_await rest(between_looks);
        }
        co_await db_.close();
        io_.stop();
    }

    /** Whatever a failure has left of a transaction. */
    db::awaitable<void> let_go()
    {
        try {
            co_await db::outbox::let_go(db_);
        } catch (const db::failure&) { // the connection is gone, and the transaction with it
        }
    }

    db::awaitable<void> rest(milliseconds time)
    {
        boost::system::error_code ignored;
        if (is_stopping())
            co_return;
        timer_.expires_after(time);
        co_await timer_.async_wait(asio::redirect_error(db::use_awaitable, ignored));
    }

    /** @return false if nothing was due */
    db::awaitable<bool> send_one(std::int32_t& cut_off)
    {
        auto row = co_await db::outbox::take(db_);
        if (!row)
            co_return false;
        auto went = deliver(*row);
        if (went.what == delivery::outcome::later &&
            std::chrono::system_clock::now() - row->created_at > try_for)
            went.what = delivery::outcome::never;
        report(*row, went);
        cut_off = went.is_cut_off ? cut_off + 1 : 0;
        switch (went.what) {
        case delivery::outcome::sent:
            co_await db::outbox::settle(db_, row->id);
            break;
        case delivery::outcome::later:
            co_await db::outbox::postpone(db_, row->id, backoff(row->attempts, longest_wait), went.cause);
            break;
        case delivery::outcome::never:
            co_await db::outbox::give_up(db_, row->id, went.cause);
            break;
        }
        co_return true;
    }

    /** Write and send. Blocks; the connection to the database is idle meanwhile, and the letter locked. */
    delivery deliver(const db::outbox::row& row)
    {
        std::string token;
        if (row.sealed_token) {
            auto opened = sealer_.open(*row.sealed_token, handlers::letter_seal_context(row.id));
            if (!opened)
                return {delivery::outcome::never, false, "sealed under another master key"};
            token = crypto::text_of(*opened);
        }
        auto made = write(row, token);
        auto went = transport_->send(made.letter);
        if (went.what == delivery::outcome::sent && !settings_.smtp) {
            log_line line(log_level::info, "mail written");
            line.add("to", row.recipient).add("subject", made.letter.subject);
            if (!made.link.empty())
                line.add("link", made.link);
        }
        return went;
    }

    written write(const db::outbox::row& row, std::string_view token)
    {
        std::string_view name = boost::describe::enum_to_string(row.what, "");
        site here{settings_.handlers.public_url, settings_.site_name()};
        auto words = write_letter(row.what, boost::json::parse(row.facts).as_object(), here, token);

        written out;
        auto& letter = out.letter;
        letter.from = settings_.mail_from;
        letter.to = {row.name.value_or(""), row.recipient};
        letter.subject = words.subject;
        letter.id = to_string(row.id) + letter.from.address.substr(letter.from.address.find('@'));
        letter.date = mail_date();
        letter.headers.emplace_back("Auto-Submitted", "auto-generated");
        letter.headers.emplace_back("X-Latchkey-Kind", name);
        std::string to_stop;
        if (row.user_id && handlers::notifications::can_be_switched_off(name)) {
            to_stop = handlers::notifications::unsubscription_link(unsubscriptions_, here.public_url,
                                                                   *row.user_id, name);
            letter.headers.emplace_back("List-Unsubscribe", "<" + to_stop + ">");
            letter.headers.emplace_back("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        }
        letter.text = as_text(words, row.name, to_stop);
        letter.html = as_html(words, row.name, to_stop);
        out.link = words.link;
        return out;
    }

    static void report(const db::outbox::row& row, const delivery& went)
    {
        auto level = went.what == delivery::outcome::sent ? log_level::debug : log_level::warning;
        auto event = went.what == delivery::outcome::sent    ? "mail sent"
                     : went.what == delivery::outcome::later ? "mail not sent yet"
                                                             : "mail given up";
        log_line line(level, event);
        line.add("mail", to_string(row.id)).add("kind", boost::describe::enum_to_string(row.what, ""));
        line.add("attempt", row.attempts + 1);
        if (!went.cause.empty())
            line.add("cause", went.cause);
    }

    const config& settings_;
    const std::atomic<std::int64_t>& stops_at_;
    crypto::sealer sealer_;
    crypto::token_signer unsubscriptions_;
    std::unique_ptr<mail_transport> transport_;
    asio::io_context io_{1};
    db::pool db_;
    db::steady_timer timer_;
};

mailer::mailer(const config& settings) : stops_at_(std::numeric_limits<std::int64_t>::max())
{
    for (std::size_t i = 0; i < workers_each; ++i)
        workers_.emplace_back(settings, stops_at_);
    for (auto& one : workers_)
        threads_.emplace_back([&one] { one.run(); });
}

mailer::~mailer()
{
    stops_at_ = (clock::now() + farewell).time_since_epoch().count();
    for (auto& one : workers_)
        one.wake();
    for (auto& thread : threads_)
        thread.join();
}

} // namespace server
