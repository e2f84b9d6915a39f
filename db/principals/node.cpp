#include "db/principals/node.hpp"

#include "db/principals/invalidation.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <stdexcept>
#include <utility>

namespace db {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view changes_channel = "latchkey_changes",
                           answers_channel = "latchkey_acknowledgements";
constexpr std::string_view echo_word = "echo";

constexpr auto first_look_after = 100ms, look_every = 250ms; ///< while a change waits for somebody
constexpr auto hear_within = 1000ms;                         ///< its own words
constexpr std::chrono::milliseconds try_again_after{200}, listen_again_after{5000};
constexpr auto bury_after = 60s; ///< the rows of nodes whose lease has run out
constexpr auto bury_every = 10s;

/// For clocks that run at other speeds, PostgreSQL's host's being none of them: a twentieth is far more than
/// any.
std::chrono::milliseconds margin_of(std::chrono::milliseconds length)
{
    return length / 20;
}

std::optional<uuid> read_uuid(std::string_view text)
{
    try {
        return boost::uuids::string_generator()(text.begin(), text.end());
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

/// The words of a notice, one at a time.
std::string_view take_word(std::string_view& text)
{
    auto end = std::min(text.find(' '), text.size());
    auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

} // namespace

static const statement listen_to_changes{"node_listen", "LISTEN latchkey_changes"};
static const statement listen_to_answers{"node_listen_to_answers", "LISTEN latchkey_acknowledgements"};

static const statement speak_to_oneself{"node_echo",
                                        "SELECT pg_notify('latchkey_acknowledgements', 'echo ' || $1)"};

static const statement claim_place{"node_claim", R"(
    INSERT INTO nodes AS n (id, epoch, renewals, lease_ms) VALUES ($1, 1, 1, $2)
    ON CONFLICT (id) DO UPDATE SET epoch = n.epoch + 1, renewals = n.renewals + 1, renewed_at = now()
    RETURNING epoch)"};

static const statement renew_lease{"node_renew", R"(
    UPDATE nodes SET renewals = renewals + 1, renewed_at = now() WHERE id = $1 AND epoch = $2)"};

static const statement find_others{"node_find_others",
                                   "SELECT id, epoch, renewals, lease_ms FROM nodes WHERE id <> $1"};

// Who is recalled finds at its next renewal that it has to begin anew.
static const statement recall_others{"node_recall", R"(
    UPDATE nodes SET epoch = epoch + 1 WHERE id <> $1 RETURNING id, epoch, renewals, lease_ms)"};

static const statement leave_place{"node_leave", "DELETE FROM nodes WHERE id = $1"};

static const statement bury_node{"node_bury",
                                 "DELETE FROM nodes WHERE id = $1 AND epoch = $2 AND renewals = $3"};

static const statement close_again{"node_close_again", "SELECT close_again($1, $2)"};

static const statement acknowledge{"node_acknowledge", "SELECT acknowledge_changes($1, $2, $3)"};

node::node(boost::asio::io_context& io, pool& elsewhere, principal_changes& changes, lease& trust,
           config settings)
    : io_(io), elsewhere_(elsewhere), changes_(changes), trust_(trust), settings_(std::move(settings)),
      id_(boost::uuids::random_generator()()), connection_(io, with_callbacks(settings_.connection))
{
    changes_.tell(*this);
}

node::~node()
{
    trust_.drop();
    changes_.tell_nobody();
}

pipeline::config node::with_callbacks(pipeline::config settings)
{
    settings.on_event = [this, told = std::move(settings.on_event)](std::string_view event,
                                                                    std::string_view detail) {
        if (told)
            told(event, detail);
        if (event == "connected")
            boost::asio::co_spawn(io_, serve_connection(), boost::asio::detached);
    };
    settings.on_notification = [this](std::string_view channel, std::string_view payload) {
        hear(channel, payload);
    };
    return settings;
}

/* What was believed before is not believed any more from before the new connection listens: whoever changes
   something from then on either is heard, or sees the new epoch, which begins when all has been forgotten. */
awaitable<void> node::serve_connection()
{
    auto connection = connection_.generation();
    trust_.drop();
    watch_.forget();
    hearing_ = settings_.connection.prepare ? hearing::unknown : hearing::none;
    if (!settings_.connection.prepare)
        co_return;
    auto again_after = listen_again_after; // for who hears nothing
    try {
        co_await listen();
        if (hearing_ == hearing::good && !settings_.remembers)
            co_return;
        if (hearing_ == hearing::good)
            co_await keep_lease(connection);
    } catch (const failure&) { // a statement was refused, or late, or the connection is lost
        hearing_ = hearing::none;
        again_after = try_again_after;
    }
    trust_.drop();
    co_await sleep(again_after);
    if (connection == connection_.generation() && connection_.connected() && !leaving_)
        boost::asio::co_spawn(io_, serve_connection(), boost::asio::detached);
}

/// Listen, and make sure that it is heard what others say, by saying something over another connection.
awaitable<void> node::listen()
{
    batch both;
    both.add(listen_to_changes).add(listen_to_answers);
    co_await connection_.run(std::move(both));
    echo_ = to_string(boost::uuids::random_generator()());
    auto until = boot_clock::now() + hear_within;
    co_await elsewhere_.run(speak_to_oneself, echo_);
    while (!echo_.empty() && boot_clock::now() < until)
        co_await sleep(5ms);
    hearing_ = echo_.empty() ? hearing::good : hearing::none;
}

awaitable<void> node::keep_lease(std::uint64_t connection)
{
    auto is_same = [&] { return connection == connection_.generation() && !leaving_; };
    while (is_same()) {
        trust_.drop();
        auto claimed = co_await connection_.run(claim_place, id_,
                                                static_cast<std::int32_t>(settings_.lease_length.count()));
        epoch_ = claimed.scalar<std::int64_t>();
        while (is_same()) {
            // Whose cores do not forget in time must not go on believing.
            if (!is_behind()) {
                bool ours = co_await renew();
                if (!ours)
                    break;
            }
            co_await bury_dead();
            co_await sleep(settings_.lease_length / 4);
        }
    }
}

/// @return false if the lease has been recalled, or the connection is another
awaitable<bool> node::renew()
{
    auto connection = connection_.generation();
    auto sent = boot_clock::now();
    batch work;
    work.add(renew_lease, id_, epoch_).add(find_others, id_);
    auto answers = co_await connection_.run(std::move(work));
    if (connection != connection_.generation() || leaving_)
        co_return false;
    auto others = answers.last().as_vector<peer>();
    watch_.observe(others, boot_clock::now());
    if (on_census)
        on_census(watch_.live(boot_clock::now()) + 1);
    if (answers.first().affected() == 0)
        co_return false;
    if (!trust_.holds()) { // there was a gap, in which others need not have waited
        change all;
        all.everything = true;
        co_await changes_.evict(std::move(all));
        if (connection != connection_.generation() || leaving_)
            co_return false;
    }
    trust_.grant(sent + settings_.lease_length - margin_of(settings_.lease_length));
    co_return true;
}

awaitable<void> node::bury_dead()
{
    auto now = boot_clock::now();
    if (now - buried_at_ < bury_every)
        co_return;
    buried_at_ = now;
    for (auto& each : watch_.dead(now, bury_after))
        co_await connection_.run(bury_node, each.id, each.epoch, each.renewals);
}

awaitable<void> node::leave()
{
    leaving_ = true;
    trust_.drop();
    if (settings_.remembers && connection_.connected())
        co_await connection_.run(leave_place, id_);
}

void node::hear(std::string_view channel, std::string_view payload)
{
    if (channel == answers_channel)
        return hear_acknowledgement(payload);
    if (channel != changes_channel)
        return;
    heard_.emplace_back(payload);
    if (!forgetting_since_) {
        forgetting_since_ = boot_clock::now();
        boost::asio::co_spawn(io_, forget_what_was_told(), boost::asio::detached);
    }
}

void node::hear_acknowledgement(std::string_view payload)
{
    auto first = take_word(payload);
    if (first == echo_word) {
        if (payload == echo_)
            echo_.clear();
        return;
    }
    auto who = read_uuid(first);
    if (!who || read_uuid(take_word(payload)) != id_)
        return;
    while (!payload.empty()) {
        auto change = read_uuid(take_word(payload));
        if (!change)
            continue;
        watch_.acknowledge(*change, *who);
        auto [begin, end] = sleepers_->equal_range(*change);
        for (auto each = begin; each != end; ++each)
            each->second->cancel();
    }
}

/// Several notices at once, as they come out of one transaction or of several.
struct node::told {
    change what;
    std::vector<uuid> ends, tellers; ///< of others' changes, to be acknowledged

    void add(std::string_view notice, const uuid& self)
    {
        auto kind = take_word(notice);
        auto id = read_uuid(take_word(notice));
        if (id && kind == "credential") {
            what.credentials.push_back(*id);
        } else if (id && kind == "user") {
            what.users.push_back(*id);
        } else if (id && kind == "workspace") {
            what.workspaces.push_back(*id);
        } else if (id && kind == "end") {
            auto teller = read_uuid(take_word(notice));
            if (teller && *teller != self) {
                ends.push_back(*id);
                tellers.push_back(*teller);
            }
        } else {
            what.everything = true; // said by a newer program
        }
    }
};

/// In the order in which it was said: whatever is acknowledged, all before it has been forgotten.
awaitable<void> node::forget_what_was_told()
{
    while (!heard_.empty()) {
        forgetting_since_ = boot_clock::now();
        told now;
        for (auto& notice : std::exchange(heard_, {}))
            now.add(notice, id_);
        if (!now.what.empty())
            co_await changes_.evict(std::move(now.what));
        if (now.ends.empty())
            continue;
        try {
            co_await connection_.run(acknowledge, id_, now.ends, now.tellers);
        } catch (const failure&) {
            // The connection is lost; whoever waits says it again.
        }
    }
    forgetting_since_.reset();
}

bool node::is_behind() const
{
    return forgetting_since_ && boot_clock::now() - *forgetting_since_ > settings_.lease_length / 2;
}

awaitable<void> node::settle(uuid change)
{
    co_await boost::asio::co_spawn(io_, wait_for_peers(change), use_awaitable);
}

awaitable<void> node::wait_for_peers(uuid change)
{
    auto give_up_at = boot_clock::now() + settings_.patience;
    auto look_after = first_look_after;
    for (;;) {
        std::optional<failure> failed;
        try {
            if (!watch_.waits_for(change)) {
                auto others = co_await find_peers();
                watch_.begin(change, others, boot_clock::now());
            }
            if (watch_.settled(change, boot_clock::now()))
                co_return;
            co_await sleep_until_news(change, look_after);
            if (watch_.settled(change, boot_clock::now()))
                co_return;
            co_await look_again(change);
            look_after = look_every;
            give_up_at = boot_clock::now() + settings_.patience; // the database answers
        } catch (const failure& why) {
            failed = why;
        }
        if (failed && boot_clock::now() >= give_up_at) {
            watch_.abandon(change);
            throw *failed;
        }
        if (failed)
            co_await sleep(try_again_after);
    }
}

/// Who there is. A node that cannot hear their answers takes their leases away: then they begin anew, or
/// cease.
awaitable<std::vector<peer>> node::find_peers()
{
    while (hearing_ == hearing::unknown)
        co_await sleep(5ms);
    auto& how = hearing_ == hearing::good ? find_others : recall_others;
    auto found = co_await connection_.run(how, id_);
    co_return found.as_vector<peer>();
}

/// An answer can be lost, and a node can have come to listen after the change was told.
awaitable<void> node::look_again(uuid change)
{
    batch work;
    work.add(close_again, change, id_).add(find_others, id_);
    auto answers = co_await connection_.run(std::move(work));
    auto others = answers.last().as_vector<peer>();
    watch_.observe(others, boot_clock::now());
}

awaitable<void> node::sleep_until_news(uuid change, std::chrono::milliseconds at_most)
{
    steady_timer timer(io_.get_executor(), at_most);
    struct guard {
        std::shared_ptr<timers> all;
        timers::iterator place;
        ~guard() { all->erase(place); }
    } leaves{sleepers_, sleepers_->emplace(change, &timer)};
    boost::system::error_code woken;
    co_await timer.async_wait(boost::asio::redirect_error(use_awaitable, woken));
}

awaitable<void> node::sleep(std::chrono::milliseconds time)
{
    steady_timer timer(io_.get_executor(), time);
    boost::system::error_code woken;
    co_await timer.async_wait(boost::asio::redirect_error(use_awaitable, woken));
}

} // namespace db
