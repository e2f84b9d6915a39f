// A named SQL text, prepared once on every connection.
#pragma once

#include <string>
#include <utility>

namespace db {

/// Whose rows a statement touches in the tables that a workspace owns.
enum class rows {
    of_any_workspace, ///< those of several, or of one that is not known beforehand; or none
    of_one_workspace, ///< those of the workspace that its batch is within
};

/** One prepared statement. Defined at namespace scope above the function that runs it:

    @code
    static const statement find_user{"users_find", "SELECT id, email FROM users WHERE id = $1"};
    @endcode

    One that is about a workspace says so, and is then refused in a batch that is not within any:

    @code
    static const statement list_events{"audit_list", rows::of_one_workspace,
                                       "SELECT … FROM audit WHERE workspace_id = $1"};
    @endcode

    Constructing one enters it into a list, so that each connection prepares all of them in one round trip
    when it is made: wrong SQL stops the start of the program, not a user. The name must outlive it.
    Construct and destroy only while no other thread connects (in practice: before main). */
class statement {
public:
    statement(const char* name, std::string sql) : statement(name, rows::of_any_workspace, std::move(sql)) {}
    statement(const char* name, rows touched, std::string sql)
        : name_(name), sql_(std::move(sql)), touched_(touched), next_(first_)
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

    /// All statements of the program, linked through next(). @return nothing if there are none
    static const statement* first() { return first_; }
    const statement* next() const { return next_; }

private:
    inline static constinit statement* first_ = nullptr;

    const char* name_;
    std::string sql_;
    rows touched_;
    statement* next_;
};

} // namespace db
