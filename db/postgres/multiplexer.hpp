// Which answer belongs to which request: the bookkeeping of a shared connection, without the connection.
#pragma once

#include "db/postgres/batch.hpp"
#include "db/postgres/result.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace db {

/// A batch, what came back for it, and whom to tell.
class request {
public:
    explicit request(batch what) : work(std::move(what)) {}
    virtual ~request() = default;

    /// Hand `answers`, or `error` where there is one, to whoever waits. Called once, when all is known.
    virtual void finish() = 0;

    batch work;
    results answers;
    std::optional<failure> error;
};

/** The queue of one connection. A request is waiting, then sent, then done; or it is abandoned: erased if it
    was not yet sent, else left as an empty place that swallows the answers meant for it.

    No I/O, no clock and no callback: what ends is returned, for the caller to finish when it is ready. */
class multiplexer {
public:
    using time_point = std::chrono::steady_clock::time_point;
    using finished = std::vector<std::unique_ptr<request>>; ///< each with its answers or its error

    /// Queue a request. `expires` must not lie before that of the one added last.
    void add(std::unique_ptr<request> what, time_point expires);

    /// The request to send next, or nothing. It stays the next until mark_sent().
    request* next_to_send();

    /** The next request is on its way. `expires` must not lie before that of the one sent last.
        @param in_front statements sent in front of its own, whose answers are not for it, but whose errors
       are */
    void mark_sent(time_point expires, std::size_t in_front = 0);

    /// True while answers are owed, also those of abandoned requests.
    bool expects_answer() const { return sent_ > 0; }

    /** Match one return value of PQgetResult, NULL included, to the request it belongs to.
        @return the request whose last answer this was, or nothing
        @throw failure (unavailable) if nobody asked: the connection is out of step and of no more use */
    std::unique_ptr<request> take(result answer);

    /// Abandon what is late: sent without an answer, or never sent, for which `unsent` is the error.
    finished expire(time_point now, const failure& unsent);

    /// The connection is gone, and with it every answer owed; what waits goes on waiting.
    finished lose(const failure& why);

    /// Waiting is of no use: give up what is unsent.
    finished refuse(const failure& why);

    std::size_t size() const { return queue_.size(); }

private:
    struct place {
        std::unique_ptr<request> who; // nobody: abandoned
        std::size_t unanswered;       // statements whose answers have not ended
        std::size_t in_front;         // of these, the ones sent in front of the request's own
        time_point expires;
    };

    std::deque<place> queue_; // sent ones first, each in the order of its expiry
    std::size_t sent_ = 0;
};

} // namespace db
