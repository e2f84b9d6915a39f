// The statements of one request, sent together.
#pragma once

#include "db/params.hpp"
#include "db/statement.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>

namespace db {

/** Statements that travel as one: one round trip, and one implicit transaction, so that either all of them
    take effect or none does. After the first that fails, PostgreSQL skips the rest. A batch of no statement
    is allowed: it waits for the connection and for all that was sent before it. */
class batch {
public:
    struct command {
        const statement* what;
        std::size_t first_param;
        std::size_t param_count;
    };

    /// Append a statement and the values of its $1, $2, … Costs no I/O. @throw failure as params::add
    template <class... Values>
    batch& add(const statement& what, const Values&... values)
    {
        auto first = params_.size();
        (params_.add(values), ...);
        commands_.push_back({&what, first, sizeof...(values)});
        return *this;
    }

    const auto& commands() const { return commands_; }
    const params& parameters() const { return params_; }
    std::size_t size() const { return commands_.size(); }

private:
    boost::container::small_vector<command, 4> commands_;
    params params_;
};

} // namespace db
