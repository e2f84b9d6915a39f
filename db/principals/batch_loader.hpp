// Look-ups that come at the same time, asked together.
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

/// What is asked of the database about a credential.
struct credential_question {
    db::digest digest{}; ///< of the key, or of the token: what it is remembered by

    // Of a session alone, as its token names them.
    uuid session_id{};
    std::optional<uuid> workspace_id;
    timestamp token_expires;
};

/** Like a group commit: what arrives while every statement is under way travels in the next, and what is
   asked already is not asked twice. Belongs to one core. */
class gatherer {
public:
    struct limits {
        std::size_t per_statement = 128;
        std::size_t in_flight = 2; ///< statements: while one is answered the database works on another
    };

    /// One answer for each question, in their order; null: there is no such credential.
    using answers = std::vector<principal_ref>;
    using ask_all = std::function<awaitable<answers>(std::vector<credential_question>)>;

    /// Called with what was found and when it was asked, before anybody gets it.
    using keep = std::function<void(const digest& key, const principal_ref& who, std::uint64_t stamp)>;

    /// @param stamp read when a statement is sent
    gatherer(boost::asio::io_context& io, limits most, const std::uint64_t& stamp, ask_all ask, keep kept);

    /** Ask, or join who asks. @param may_join_sent false: only questions that have not been sent yet are
       joined
        @throw what `ask` throws */
    awaitable<principal_ref> load(credential_question what, bool may_join_sent);

    /// From now on nobody joins a question that has been sent.
    void part();

private:
    using resume = boost::asio::async_result<std::decay_t<decltype(use_awaitable)>,
                                             void(std::exception_ptr, principal_ref)>::handler_type;
    struct lookup {
        credential_question what;
        bool is_sent = false;
        std::vector<resume> waiting;
    };
    using group = std::vector<std::shared_ptr<lookup>>;

    void wait_for(const credential_question& what, bool may_join_sent, resume waiting);
    awaitable<void> work();
    group next_group();
    void finish(const std::shared_ptr<lookup>& asked, const principal_ref& who,
                const std::exception_ptr& failed, std::uint64_t stamp);

    boost::asio::io_context& io_;
    limits most_;
    const std::uint64_t& stamp_;
    ask_all ask_;
    keep keep_;
    std::deque<std::shared_ptr<lookup>> queue_; ///< not yet sent
    boost::unordered_flat_map<digest, std::shared_ptr<lookup>, digest_hash> joinable_;
    std::size_t asking_ = 0; ///< coroutines in work()
    std::size_t sent_ = 0;   ///< statements under way
};

} // namespace db
