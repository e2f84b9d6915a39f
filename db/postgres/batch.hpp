// A batch: the statements of one request, sent in one round trip.
#pragma once

#include "db/postgres/params.hpp"
#include "db/postgres/statement.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace db {

/** Statements sent together: one round trip and one implicit transaction, so that either all of them take
    effect or none does. After the first error PostgreSQL skips the rest. An empty batch is allowed: it
    completes once the connection is up and everything sent before it is answered. */
class batch {
public:
    struct command {
        const statement* stmt;
        std::size_t first_param;
        std::size_t param_count;
    };

    /// Append a statement and the values of its $1, $2, … Costs no I/O. @throw failure as params::add
    template <class... Values>
    batch& add(const statement& stmt, const Values&... values)
    {
        auto first = params_.size();
        (params_.add(values), ...);
        commands_.push_back({&stmt, first, sizeof...(values)});
        if (stmt.touched() == rows::of_one_workspace)
            needs_workspace_ = &stmt;
        return *this;
    }

    /** Confine the batch to a workspace. With row-level security enabled (db/postgres/row_security.hpp), its
        statements and the functions they call see and write the rows of that workspace alone, regardless of
        their WHERE clauses.
        @throw failure (misuse) if the batch is in another workspace already */
    batch& in_workspace(const uuid& workspace)
    {
        if (workspace_ && *workspace_ != workspace)
            throw failure(failure_kind::misuse, "a batch cannot be in two workspaces");
        workspace_ = workspace;
        return *this;
    }

    /** Append another batch, which stays confined to its workspace: a statement ahead of it, with one result,
        confines the transaction from there on. A batch without a workspace therefore has to come first.
        @param without a statement of it to leave out, or null
        @return the position of its first result
        @throw failure (misuse) if a workspace is set already and the other batch has none, or as its fault()
     */
    std::size_t append(const batch& other, const statement* without = nullptr);

    const std::optional<uuid>& workspace() const { return workspace_; }

    /// The reason why the batch must not be sent, or nothing.
    std::optional<failure> fault() const
    {
        if (workspace_ || !needs_workspace_)
            return std::nullopt;
        return failure(failure_kind::misuse,
                       std::string("statement ") + needs_workspace_->name() +
                           " is rows::of_one_workspace: name the workspace with batch::in_workspace()");
    }

    const auto& commands() const { return commands_; }
    const params& parameters() const { return params_; }
    std::size_t size() const { return commands_.size(); }

private:
    boost::container::small_vector<command, 4> commands_;
    params params_;
    std::optional<uuid> workspace_;
    const statement* needs_workspace_ = nullptr;

    /// An appended batch has confined the transaction.
    bool is_confined_ = false;
};

} // namespace db
