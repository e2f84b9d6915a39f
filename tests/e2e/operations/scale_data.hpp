// People with sessions, keys and all that else grows, by SQL: millions of rows in minutes.
#pragma once

#include "tests/support/postgres.hpp"

#include <cstdint>
#include <string>

namespace e2e {

/** The people first, first + step, … up to last. Each has 100 sessions, 20 of them live, 10 API keys, 20
    audit events and 3 devices, and some have tokens, invites, provider logins and undelivered emails. Those
    with multiples of 5 own a workspace that has no other member. */
struct people {
    std::int64_t first, last, step = 1;
};

/// Create what the statements below use, in a schema of its own.
void prepare_people(const std::string& conninfo);

/// Insert them, without triggers.
void add_people(const std::string& conninfo, const people& who);

/// The same for many people in an empty database: indexes are built afterwards, and the planner has
/// statistics.
void fill(const std::string& conninfo, const people& who);

} // namespace e2e
