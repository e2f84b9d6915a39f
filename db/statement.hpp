// A named SQL text, prepared once on every connection.
#pragma once

#include <string>
#include <utility>

namespace db {

/** One prepared statement. Defined at namespace scope above the function that runs it:

    @code
    static const statement find_user{"users_find", "SELECT id, email FROM users WHERE id = $1"};
    @endcode

    Constructing one enters it into a list, so that each connection prepares all of them in one round trip
    when it is made: wrong SQL stops the start of the program, not a user. The name must outlive it.
    Construct and destroy only while no other thread connects (in practice: before main). */
class statement {
public:
    statement(const char* name, std::string sql) : name_(name), sql_(std::move(sql)), next_(first_)
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

    /// All statements of the program, linked through next(). @return nothing if there are none
    static const statement* first() { return first_; }
    const statement* next() const { return next_; }

private:
    inline static constinit statement* first_ = nullptr;

    const char* name_;
    std::string sql_;
    statement* next_;
};

} // namespace db
