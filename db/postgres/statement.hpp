// A named SQL statement, prepared by each connection that uses it.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace db {

/// The rows that a statement touches in tables that belong to workspaces.
enum class rows {
    /// Those of several workspaces or of one that is not known beforehand, or none.
    of_any_workspace,

    /// Those of the workspace that the batch is confined to.
    of_one_workspace,
};

/** One prepared statement. Defined at namespace scope above the function that runs it:

    @code
    static const statement find_user{"users_find", "SELECT id, email FROM users WHERE id = $1"};
    @endcode

    A statement about one workspace is marked, and then refused in a batch without batch::in_workspace():

    @code
    static const statement list_events{"audit_list", rows::of_one_workspace,
                                       "SELECT … FROM audit WHERE workspace_id = $1"};
    @endcode

    The constructor enters it into a list, so that the first connection of the process checks all of them in
    one round trip: wrong SQL stops the program at start instead of failing a request. The name must outlive
    the statement. Construct and destroy only while no other thread connects (in practice: before main). */
class statement {
public:
    statement(const char* name, std::string sql) : statement(name, rows::of_any_workspace, std::move(sql)) {}
    statement(const char* name, rows touched, std::string sql)
        : name_(name), sql_(std::move(sql)), touched_(touched), index_(count_++), next_(first_)
    {
        first_ = this;
    }
    ~statement()
    {
        auto link = &first_;
        while (*link != this)
            link = &(*link)->next_;
        *link = next_;
    }
    statement(const statement&) = delete;
    statement& operator=(const statement&) = delete;

    const char* name() const { return name_; }
    const char* sql() const { return sql_.c_str(); }
    rows touched() const { return touched_; }

    /// Less than count(), and never that of another statement.
    std::size_t index() const { return index_; }

    /// Statements constructed so far.
    static std::size_t count() { return count_; }

    /// All statements of the program, linked through next(). @return nullptr if there are none
    static const statement* first() { return first_; }
    const statement* next() const { return next_; }

private:
    inline static constinit statement* first_ = nullptr;
    inline static constinit std::size_t count_ = 0;

    const char* name_;
    std::string sql_;
    rows touched_;
    std::size_t index_;
    statement* next_;
};

} // namespace db
