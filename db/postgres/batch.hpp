// The statements of one request, sent together.
#pragma once

#include "db/postgres/params.hpp"
#include "db/postgres/statement.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <optional>
#include <string>

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
        if (what.touched() == rows::of_one_workspace)
            of_workspace_ = &what;
        return *this;
    }

    /** Say which workspace the batch is about. Where the second wall stands (db/postgres/row_security.hpp),
       its statements, and the functions they call, then see and write the rows of that workspace alone,
       whatever they ask for.
        @throw failure (misuse) if the batch is about another already */
    batch& within(const uuid& workspace)
    {
        if (workspace_ && *workspace_ != workspace)
            throw failure(failure_kind::misuse, "a batch cannot be within two workspaces");
        workspace_ = workspace;
        return *this;
    }

    const std::optional<uuid>& workspace() const { return workspace_; }

    /// Why the batch must not be sent, or nothing.
    std::optional<failure> fault() const
    {
        if (workspace_ || !of_workspace_)
            return std::nullopt;
        return failure(failure_kind::misuse, std::string("statement ") + of_workspace_->name() +
                                                 " is about one workspace: say which, with batch::within()");
    }

    const auto& commands() const { return commands_; }
    const params& parameters() const { return params_; }
    std::size_t size() const { return commands_.size(); }

private:
    boost::container::small_vector<command, 4> commands_;
    params params_;
    std::optional<uuid> workspace_;
    const statement* of_workspace_ = nullptr; ///< one that is about a workspace
};

} // namespace db
