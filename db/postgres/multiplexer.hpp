// Matches the answers of a shared connection to requests. No I/O and no clock.
#pragma once

#include "db/postgres/batch.hpp"
#include "db/postgres/prepared_statements.hpp"
#include "db/postgres/result.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace db {

/// A batch with its answers, and the completion handler of its caller.
class request {
public:
    explicit request(batch queued) : work(std::move(queued)) {}
    virtual ~request() = default;

    /// Complete the caller's operation with `answers`, or with `error` if there is one. Called once.
    virtual void finish() = 0;

    /// Kept until the end, for another attempt.
    batch work;
    results answers;
    std::optional<failure> error;

    /// How often the batch has been sent and rolled back.
    int rollbacks = 0;
};

/** The request queue of one connection. A request is waiting, then sent, then done; or it is abandoned:
    erased if it was not sent yet, else its slot stays and discards the answers meant for it.

    No I/O, no clock and no callback: requests that end are returned, for the caller to finish when ready. */
class multiplexer {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Requests that ended, each with its answers or its error.
    using finished = std::vector<std::unique_ptr<request>>;

    /// Queue a request. `expires` must not be before that of the request added last.
    void add(std::unique_ptr<request> added, time_point expires);

    /// The request to send next, or nullptr. It stays the next until mark_sent().
    request* next_to_send();

    /// What was sent ahead of the statements of a request.
    struct preamble {
        /// Parse messages, each followed by a Sync.
        std::size_t parses = 0;

        /// In the same transaction: its rows are discarded, its errors are the request's. Or null.
        const statement* prologue = nullptr;
    };

    /// Record that the next request was sent. `expires` must not be before that of the request sent last.
    void mark_sent(time_point expires) { mark_sent(expires, preamble()); }
    void mark_sent(time_point expires, preamble ahead);

    /// True while answers are outstanding, those of abandoned requests included.
    bool expects_answer() const { return sent_ > 0; }

    /** Match one return value of PQgetResult, NULL included, to its request.
        @param prepared those of the connection; receives the answers to Parse messages
        @return the request if this was its last answer, or nullptr
        @throw failure (unavailable) on protocol desync: the connection must be dropped */
    std::unique_ptr<request> take(result answer, prepared_statements& prepared);

    /// Abandon expired requests: sent ones without an answer, and unsent ones, which get the error `unsent`.
    finished expire(time_point now, const failure& unsent);

    /// The connection is lost: fail every sent request. Unsent ones stay queued.
    finished fail_sent(const failure& why);

    /// Fail every unsent request.
    finished fail_unsent(const failure& why);

    std::size_t size() const { return queue_.size(); }

private:
    struct slot {
        /// Null: abandoned.
        std::unique_ptr<request> owner;

        /// Statements with outstanding answers.
        std::size_t unanswered;
        time_point expires;

        /// What is unanswered of it.
        preamble ahead = {};

        /// Of the next Parse, all but the Sync has arrived.
        bool parse_answered = false;

        /// All statements are answered, but their commit has failed, as for a deferred constraint: another
        /// NULL follows.
        bool commit_failed = false;
    };

    static void take_parse(slot& of, const PGresult* answer, prepared_statements& prepared);
    static failure error_of(const slot& of, const PGresult* answer, const prepared_statements& prepared);

    /// Sent requests first, then waiting ones, each group in the order of expiry.
    std::deque<slot> queue_;
    std::size_t sent_ = 0;
};

} // namespace db
