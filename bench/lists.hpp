// What a page of a list costs: in a short list and a long one, at the beginning and far down.
#pragma once

#include "bench/options.hpp"
#include "bench/preparation.hpp"
#include "bench/sides.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace bench {

/** How many rows a workspace's lists have. */
struct list_sizes {
    std::size_t keys = 1000;
    std::size_t members = 1000;
    std::size_t events = 1000; ///< of the audit trail
};

/** Fill the workspace of a seeded person: members, keys (all of them that person's own), and events. The rows are made
    by the database itself, some 50,000 a second. @throw failure if it refuses */
void fill_workspace(const std::string& database_url, const std::string& email, const list_sizes& sizes);

/** Where in a list a page lies, as the target of a GET.
    @param list path with its query, if it has one @param depth from 0, the first page, to 1, the last; it is reached by
    turning the pages before it. @throw failure if the server refuses one */
std::string find_page(const url& server, const std::string& token, const std::string& list, double depth,
                      std::size_t rows);

} // namespace bench
