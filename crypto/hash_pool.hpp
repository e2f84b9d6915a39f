// Slow hashes on threads of their own, so that no core of the server ever waits for one.
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

/** More hashing is wanted than there is room for: answer 503, nothing has been done. */
class overloaded : public std::runtime_error {
public:
    overloaded() : std::runtime_error("too many passwords wait to be hashed") {}
};

/** A bounded pool. Its memory is threads x costs, or while a stored hash of larger costs is checked, that
    hash's up to stored_ceiling_kib; a queued job is its own master, whether its caller still waits or not.
   Its threads stand behind the server's own in the scheduler's order, so that a storm of logins leaves
   everything else as it was. Any core may call it. */
class hashers {
public:
    struct config {
        unsigned threads = 1;         // at least one
        std::size_t queue_limit = 64; // waiting, besides those under way
        password_costs costs;
        std::chrono::milliseconds longest_wait{3000}; // in the queue; then it is too late to be of use
        argon2_engine engine = argon2_engine::own;
    };

    using executor = boost::asio::io_context::executor_type;
    template <class T>
    using awaitable = boost::asio::awaitable<T, executor>;

    explicit hashers(const config& settings);

    /** Finishes what is under way and drops what waits; who waited is not resumed. Their io_contexts must
        still exist but may have stopped. */
    ~hashers();
    hashers(const hashers&) = delete;
    hashers& operator=(const hashers&) = delete;

    /** hash_password at the configured costs. The password is wiped. Resumes on the caller's core.
        @throw overloaded at once if the queue is full; what hash_password throws */
    awaitable<std::string> hash(std::string password);

    /** The same for a password that is not guessable by is_guessable(). @return nothing if it is */
    awaitable<std::optional<std::string>> hash_unless_guessable(std::string password,
                                                                std::vector<std::string> own_words);

    /** verify_password; an empty `phc` stands for an account that is not there and costs as much. The
        password is wiped. Resumes on the caller's core. @throw overloaded at once if the queue is full;
        failure */
    awaitable<bool> verify(std::string password, std::string phc);

    const password_costs& costs() const;

    struct load {
        std::size_t waiting = 0;   // jobs that no thread has taken up yet
        std::size_t busy = 0;      // threads with a job in hand
        std::uint64_t refused = 0; // jobs turned away so far, at once or after too long
    };
    load state() const;

private:
    class pool;
    std::unique_ptr<pool> pool_;
};

} // namespace crypto
