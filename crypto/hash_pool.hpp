// A bounded thread pool for password hashes, so that no event loop is ever blocked by one.
#pragma once

#include "crypto/password.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace crypto {

/// The pool is overloaded: respond with 503, nothing has been done.
class overloaded : public std::runtime_error {
public:
    overloaded() : std::runtime_error("the password hash queue is full") {}
};

/** A bounded thread pool for password hashes. Thread-safe. Its memory is threads x memory cost; while it
    verifies a stored hash of a higher cost, up to max_stored_memory_kib for that hash. A queued job owns its
    data, so it outlives a caller that is cancelled. The threads run at the lowest scheduling priority, so
    that a burst of logins does not slow down other requests. */
class hash_pool {
public:
    struct config {
        /// At least one.
        unsigned threads = 1;
        /// Waiting jobs, in addition to running ones.
        std::size_t queue_limit = 64;
        password_costs costs;
        /// Jobs that waited longer than this are rejected: their client has probably given up.
        std::chrono::milliseconds max_queue_wait{3000};
        argon2_engine engine = argon2_engine::built_in;
    };

    using executor = boost::asio::io_context::executor_type;
    template <class T>
    using awaitable = boost::asio::awaitable<T, executor>;

    explicit hash_pool(const config& settings);

    /** Finishes running jobs and drops queued ones; their callers are not resumed. The callers' io_contexts
        must still exist but may have stopped. */
    ~hash_pool();
    hash_pool(const hash_pool&) = delete;
    hash_pool& operator=(const hash_pool&) = delete;

    /** hash_password() at the configured costs. Wipes the password. Resumes on the caller's executor.
        @throw overloaded at once if the queue is full, or later after max_queue_wait; others as
               hash_password() */
    awaitable<std::string> hash(std::string password);

    /// Like hash(), but @return nothing if the password is_guessable() given these user inputs.
    awaitable<std::optional<std::string>> hash_if_strong(std::string password,
                                                         std::vector<std::string> user_inputs);

    /** verify_password(). An empty `phc` stands for a missing account and takes the same time as a hash of
        the imitated costs. Wipes the password. Resumes on the caller's executor. @throw overloaded as hash()
        does; failure */
    awaitable<bool> verify(std::string password, std::string phc);

    const password_costs& costs() const;

    /// The costs of the hash that stands for missing accounts; at first the configured ones.
    password_costs imitated_costs() const;
    void imitate(const password_costs& costs);

    struct load {
        /// Waiting jobs.
        std::size_t queued = 0;
        /// Threads with a running job.
        std::size_t busy = 0;
        /// Jobs rejected so far, at once or after max_queue_wait.
        std::uint64_t rejected = 0;
    };
    load state() const;

private:
    class worker_pool;
    std::unique_ptr<worker_pool> pool_;
};

} // namespace crypto
