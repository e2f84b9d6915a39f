// Coalesces concurrent credential lookups into one `= ANY($1)` query (the DataLoader pattern).
#pragma once

#include "db/postgres/async.hpp"
#include "db/principals/principal.hpp"
#include "db/principals/principal_cache.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace db {

/// The key of a credential lookup.
struct credential_lookup {
    /// Of the API key or the access token; the cache's key.
    db::digest digest{};

    // Of a session only, as its token states them.
    uuid session_id{};
    std::optional<uuid> workspace_id;
    std::optional<uuid> membership_id;
    timestamp token_expires;
};

/** Batches like a group commit: lookups that arrive while all statements are in flight travel in the next
    one. Lookups of one digest share a query (single flight). Belongs to one core. */
class batch_loader {
public:
    struct limits {
        std::size_t per_statement = 128;

        /// Statements: while one is answered the database works on another.
        std::size_t in_flight = 2;
    };

    /// One result per lookup, in their order; null: there is no such credential.
    using principal_list = std::vector<principal_ref>;
    using load_function = std::function<awaitable<principal_list>(std::vector<credential_lookup>)>;

    /// Called with each result and the stamp at its query, before any caller receives it.
    using store_function =
        std::function<void(const digest& key, const principal_ref& found, std::uint64_t stamp)>;

    /// @param stamp read when a statement is sent
    batch_loader(boost::asio::io_context& io, limits limits, const std::uint64_t& stamp, load_function load,
                 store_function store);

    /** Query, or share a lookup of the same digest.
        @param may_join_sent false: share only lookups that have not been sent yet
        @throw as the load function */
    awaitable<principal_ref> load(credential_lookup wanted, bool may_join_sent);

    /// From now on no caller shares a lookup that has been sent.
    void detach_in_flight();

private:
    using completion = boost::asio::async_result<std::decay_t<decltype(use_awaitable)>,
                                                 void(std::exception_ptr, principal_ref)>::handler_type;
    struct pending_lookup {
        credential_lookup wanted;
        bool is_sent = false;
        std::vector<completion> waiting;
    };
    using group = std::vector<std::shared_ptr<pending_lookup>>;

    void enqueue(const credential_lookup& wanted, bool may_join_sent, completion waiting);
    awaitable<void> drain_queue();
    group next_group();
    void finish(const std::shared_ptr<pending_lookup>& done, const principal_ref& found,
                const std::exception_ptr& failed, std::uint64_t stamp);

    boost::asio::io_context& io_;
    limits limits_;
    const std::uint64_t& stamp_;
    load_function load_;
    store_function store_;

    /// Not sent yet.
    std::deque<std::shared_ptr<pending_lookup>> queue_;
    boost::unordered_flat_map<digest, std::shared_ptr<pending_lookup>, digest_hash> joinable_;

    /// Coroutines in drain_queue().
    std::size_t workers_ = 0;

    /// Statements in flight.
    std::size_t sent_ = 0;
};

} // namespace db
