// What is wrong with an input, and where: the entries of a 422 answer.
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

/** One wrong place of an input, in the shape FastAPI clients know.
    `loc` leads from the part of the request to the place, as in ["body", "invites", 2, "role"];
    `type` is for programs, `msg` for people. */
struct fault {
    location loc;
    std::string msg;
    std::string type;
};
BOOST_DESCRIBE_STRUCT(fault, (), (loc, msg, type))

/** Where the walk stands: a chain of steps on the call stack, so that a sound input allocates nothing for it.
    A path refers to its parent and to the names given, which must outlive it. */
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

/** Gathers faults. Beyond `most_kept` they are counted only: no honest input has so many, and a hostile one
    must not be answered with a body many times its own size. */
class fault_list {
public:
    static constexpr std::size_t most_kept = 1000;

    void add(const path& at, std::string_view type, std::string msg);
    std::size_t count() const { return count_; }
    std::vector<fault> take() { return std::move(kept_); }

private:
    std::vector<fault> kept_;
    std::size_t count_ = 0;
};

} // namespace schemas
