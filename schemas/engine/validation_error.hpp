// Validation errors: the entries of a 422 response.
#pragma once

#include <boost/describe/class.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace schemas {

using step = std::variant<std::string, std::size_t>;
using location = std::vector<step>;

/** An error in the format of FastAPI. `loc` is the location, starting with the part of the request, as in
    ["body", "invites", 2, "role"]; `type` is for programs, `msg` for people. */
struct validation_error {
    location loc;
    std::string msg;
    std::string type;
};
BOOST_DESCRIBE_STRUCT(validation_error, (), (loc, msg, type))

/** The current location during parsing: a linked list on the call stack, so that valid input allocates
    nothing for it. Refers to its parent and to the names given, which must outlive it. */
class path {
public:
    explicit path(std::string_view root) : name_(root) {}
    path(const path& parent, std::string_view name) : parent_(&parent), name_(name) {}
    path(const path& parent, std::size_t index) : parent_(&parent), index_(index), is_index_(true) {}

    location steps() const;

private:
    const path* parent_ = nullptr;
    std::string_view name_;
    std::size_t index_ = 0;
    bool is_index_ = false;
};

/** Collects errors. Beyond `max_kept` they are only counted: a hostile request must not get a response many
    times its own size. */
class validation_errors {
public:
    static constexpr std::size_t max_kept = 1000;

    void add(const path& at, std::string_view type, std::string msg);
    std::size_t count() const { return count_; }
    std::vector<validation_error> take() { return std::move(kept_); }

private:
    std::vector<validation_error> kept_;
    std::size_t count_ = 0;
};

} // namespace schemas
