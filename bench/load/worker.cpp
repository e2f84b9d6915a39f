#include "bench/load/worker.hpp"

#include "bench/load/failure.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace bench {

using namespace std::chrono_literals;

worker::worker(const load_plan& plan, std::size_t index, const std::vector<kind>& kinds,
               std::unique_ptr<request_source> source, schedule& times)
    : plan_(plan), kinds_(kinds), times_(times), source_(std::move(source)), index_(index),
      epoll_(epoll_create1(EPOLL_CLOEXEC)), tls_(plan.resumes_sessions), buffer_(64 * 1024)
{
    if (epoll_ < 0)
        throw failure("cannot create an epoll descriptor");
    auto share = plan.connections / plan.threads + (index < plan.connections % plan.threads ? 1 : 0);
    connections_ = std::vector<connection>(share);
    result_.kinds.resize(kinds.size());
}

worker::~worker()
{
    for (auto& c : connections_)
        close(c);
    ::close(epoll_);
}

void worker::run()
{
    prctl(PR_SET_TIMERSLACK, 1UL); // the default slack delays wake-ups by up to 50 µs
    next_due_ = due_of(0);
    for (auto& c : connections_)
        open(c);
    std::array<epoll_event, 256> events;
    for (auto now = steady::now(); !is_over(now); now = steady::now()) {
        if (plan_.rate > 0)
            send_due(now);
        if (now >= next_publish_)
            publish(now);
        auto wait = time_to_sleep(now);
        timespec limit{.tv_sec = 0, .tv_nsec = wait.count()};
        int ready = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &limit, nullptr);
        for (int i = 0; i < ready; ++i) {
            auto& event = events[static_cast<std::size_t>(i)];
            on_event(*static_cast<connection*>(event.data.ptr), event.events);
        }
    }
    count_unanswered(steady::now());
}

// --- connections

void worker::open(connection& c)
{
    auto number = static_cast<std::size_t>(&c - connections_.data()) * plan_.threads + index_;
    auto& target = plan_.targets[number % plan_.targets.size()];
    c.opened = steady::now();
    if (!c.link.open(target, stream::mode::nonblocking))
        return;
    auto progress = c.link.connect(tls_);
    if (progress == stream::status::closed) {
        ++result_.refused;
        return close(c);
    }
    c.now = connection::state::connecting;
    watch(c, progress == stream::status::needs_input ? EPOLLIN : EPOLLOUT, EPOLL_CTL_ADD);
}

void worker::reopen(connection& c)
{
    close(c);
    ++result_.reconnects;
    open(c);
}

void worker::close(connection& c)
{
    c.link.close();
    if (c.now == connection::state::free)
        std::erase(free_, &c);
    c.now = connection::state::closed;
    c.reader.restart();
    c.unsent.clear();
}

void worker::watch(connection& c, std::uint32_t events, int operation)
{
    epoll_event event{};
    event.events = events;
    event.data.ptr = &c;
    epoll_ctl(epoll_, operation, c.link.native(), &event);
}

void worker::on_event(connection& c, std::uint32_t events)
{
    if (c.now == connection::state::closed)
        return; // closed by an earlier event of the same batch
    if (c.now == connection::state::connecting)
        return on_connectable(c);
    if ((events & EPOLLOUT) && !c.unsent.empty())
        flush(c);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        on_readable(c);
}

void worker::on_connectable(connection& c)
{
    auto progress = c.link.connect(tls_);
    if (progress == stream::status::closed) {
        ++result_.refused;
        return close(c); // retried by the next publish()
    }
    watch(c, progress == stream::status::needs_output ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    if (progress != stream::status::done)
        return;
    if (c.link.uses_tls())
        ++(c.link.is_resumed() ? result_.resumed_handshakes : result_.full_handshakes);
    make_free(c, steady::now());
}

void worker::on_readable(connection& c)
{
    do {
        auto got = c.link.receive(buffer_);
        if (got.what == stream::status::needs_input || got.what == stream::status::needs_output)
            return;
        bool idle = c.now == connection::state::free;
        if (idle) // closed by the server, or unexpected data: unusable either way
            return reopen(c);
        auto now = steady::now();
        auto progress =
            got.what == stream::status::done ? c.reader.feed({buffer_.data(), got.bytes}) : c.reader.finish();
        if (progress == response_reader::state::broken)
            return lose(c);
        if (progress == response_reader::state::done)
            return complete(c, now);
    } while (c.link.has_pending());
}

// --- sending

void worker::make_free(connection& c, steady::time_point now)
{
    c.now = connection::state::free;
    c.free_since = now;
    if (plan_.rate > 0) {
        free_.push_back(&c);
        send_due(now);
    } else if (now < times_.until.load(std::memory_order_relaxed)) {
        start(c, plan_.reconnects ? c.opened : now, now);
    }
}

void worker::send_due(steady::time_point now)
{
    auto until = times_.until.load(std::memory_order_relaxed);
    while (!free_.empty() && next_due_ <= now && next_due_ < until) {
        auto& c = *free_.front();
        free_.pop_front();
        start(c, next_due_, now);
        next_due_ = due_of(++arrival_);
        now = steady::now();
    }
}

void worker::start(connection& c, steady::time_point due, steady::time_point now)
{
    auto request = source_->next();
    if (!request) {
        result_.exhausted = true;
        times_.until = std::min(times_.until.load(), now);
        return;
    }
    c.now = connection::state::busy;
    ++busy_;
    c.kind = request->kind;
    c.due = due;
    c.measured = is_measured(due);
    if (plan_.rate > 0 && c.measured)
        result_.send_delay.record(now - std::max(due, c.free_since));
    auto sent = c.link.send(request->bytes);
    if (sent.what == stream::status::closed)
        return lose(c);
    if (sent.bytes < request->bytes.size()) {
        c.unsent = request->bytes.substr(sent.bytes);
        watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    }
}

void worker::flush(connection& c)
{
    c.unsent.erase(0, c.link.send(c.unsent).bytes);
    if (c.unsent.empty())
        watch(c, EPOLLIN, EPOLL_CTL_MOD);
}

// --- counting

void worker::complete(connection& c, steady::time_point now)
{
    --busy_;
    int status = c.reader.status();
    bool expected = status == kinds_[c.kind].expected_status;
    unpublished_.latency.record(now - c.due);
    unpublished_.unexpected += expected ? 0 : 1;
    if (c.measured) {
        auto& counted = result_.kinds[c.kind];
        ++counted.statuses[static_cast<std::size_t>(status)];
        if (expected) {
            ++counted.expected;
            counted.latency.record(now - c.due);
        }
    }
    bool reusable = c.reader.keep_alive() && !plan_.reconnects;
    c.reader.restart();
    if (reusable)
        make_free(c, now);
    else
        reopen(c);
}

void worker::lose(connection& c)
{
    --busy_;
    ++unpublished_.unexpected;
    if (c.measured)
        ++result_.kinds[c.kind].lost;
    reopen(c);
}

void worker::publish(steady::time_point now)
{
    next_publish_ = now + 200ms;
    {
        std::lock_guard lock(recent_mutex_);
        recent_.latency.merge(unpublished_.latency);
        recent_.unexpected += unpublished_.unexpected;
    }
    unpublished_.latency.clear();
    unpublished_.unexpected = 0;
    for (auto& c : connections_)
        if (c.now == connection::state::closed)
            open(c);
}

recent_load worker::take_recent()
{
    std::lock_guard lock(recent_mutex_);
    auto out = std::move(recent_);
    recent_ = {};
    return out;
}

/** Requests still unanswered at the end count with the age that they reached: leaving them out would favor
    the server that did not answer. */
void worker::count_unanswered(steady::time_point now)
{
    if (times_.stopped)
        return;
    for (auto& c : connections_)
        if (c.now == connection::state::busy && c.measured) {
            ++result_.kinds[c.kind].late;
            result_.kinds[c.kind].latency.record(now - c.due);
        }
    while (plan_.rate > 0 && !result_.exhausted && next_due_ < times_.until.load()) {
        if (auto request = source_->next(); request && is_measured(next_due_)) {
            ++result_.kinds[request->kind].unsent;
            result_.kinds[request->kind].latency.record(now - next_due_);
        }
        next_due_ = due_of(++arrival_);
    }
}

// --- time

bool worker::is_over(steady::time_point now) const
{
    if (times_.stopped.load(std::memory_order_relaxed))
        return true;
    auto until = times_.until.load(std::memory_order_relaxed);
    if (now < until)
        return false;
    bool all_sent = plan_.rate == 0 || result_.exhausted || next_due_ >= until;
    return (busy_ == 0 && all_sent) || now >= until + plan_.drain;
}

bool worker::is_measured(steady::time_point due) const
{
    return due >= times_.measure_from && due < times_.until.load(std::memory_order_relaxed);
}

std::chrono::nanoseconds worker::time_to_sleep(steady::time_point now) const
{
    if (plan_.spin)
        return 0ns;
    auto wake = next_publish_;
    if (plan_.rate > 0 && !free_.empty())
        wake = std::min(wake, next_due_);
    auto until = times_.until.load(std::memory_order_relaxed);
    if (now < until)
        wake = std::min(wake, until);
    return std::clamp<std::chrono::nanoseconds>(wake - now, 0ns, 200ms);
}

steady::time_point worker::due_of(std::uint64_t arrival) const
{
    if (plan_.rate == 0)
        return times_.begin;
    auto position = static_cast<double>(arrival * plan_.threads + index_);
    return times_.begin + std::chrono::nanoseconds(static_cast<std::int64_t>(position * 1e9 / plan_.rate));
}

} // namespace bench
