/* The names of the tz database, from the system's tzdata: it is updated several times a year as countries
   change their zones, more often than ICU's copy, and has no names of ICU's own. */
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace schemas {

/** The zones and aliases of a tz database in the compact form of `zic`, sorted. Without `Factory`, the
    placeholder for a zone that has not been set. */
std::vector<std::string> read_time_zones(std::istream& tzdata);

/** Reads the names from the system's tz database, if that has not been done. For the start of the program, so
    that a missing database is found then.
    @throw std::runtime_error if there is none */
void load_time_zones();

/// Whether the tz database has a zone or an alias of this name, in this case. @throw as load_time_zones()
bool is_time_zone(std::string_view name);

} // namespace schemas
