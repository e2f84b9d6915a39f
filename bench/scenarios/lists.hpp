// What a page of a list costs: in a short list and a long one, at the beginning and far down.
#pragma once

#include "bench/load/http_client.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/** How many rows a workspace's lists have. */
struct list_sizes {
    std::size_t keys = 1000;
    std::size_t members = 1000;
    std::size_t events = 1000; ///< of the audit trail
};

/** Fill the workspace of a seeded person: members, every tenth a manager; keys, all of them that person's
   own, the oldest 100 revoked, so that a list of these, the newest first, has all others before it; and
   events of three kinds. The database itself makes the rows, some 50,000 a second. @throw failure if it
   refuses */
void fill_workspace(const std::string& database_url, const std::string& email, const list_sizes& sizes);

/** The body that a GET of this target is answered with. */
using page_reader = std::function<std::string(const std::string& target)>;

/** Reads pages with a credential. The server must outlive it. @throw failure, when called, if one is refused
 */
page_reader read_pages(const url& server, const std::string& token);

/** Where in a list pages lie, as targets of a GET. They are reached by turning the pages before them.
    @param list path with its query, if it has one @param rows how long it is
    @param depths from 0, the first page, to 1, the end; in ascending order
    @throw failure if the list ends before */
std::vector<std::string> find_pages(const page_reader& read, const std::string& list, std::size_t rows,
                                    const std::vector<double>& depths);

} // namespace bench
