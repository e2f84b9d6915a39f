// Setup of the `pages` command: workspaces with long lists, and the URLs of pages at given depths.
#pragma once

#include "bench/load/http_client.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// How many rows the lists of a workspace have.
struct list_sizes {
    std::size_t keys = 1000;
    std::size_t members = 1000;
    /// Audit events.
    std::size_t events = 1000;
};

/** Fill the workspace of a seeded user: members, every tenth a manager; keys, all owned by that user, the
    oldest 100 revoked, so that a list of revoked keys, newest first, has to skip all others; and audit events
    of three kinds. PostgreSQL generates the rows, some 50,000 a second. @throw failure if it rejects them */
void fill_workspace(const std::string& database_url, const std::string& email, const list_sizes& sizes);

/// Returns the response body of a GET of this target.
using page_reader = std::function<std::string(const std::string& target)>;

/// A reader that authenticates with `token`. The server must outlive it. @throw failure, when called, unless
/// 200
page_reader read_pages(const url& server, const std::string& token);

/** The targets of pages at given depths of a list. Their cursors are found by paging through the list.
    @param list path with its query, if it has one
    @param rows length of the list
    @param depths from 0, the first page, to 1, the end; ascending
    @throw failure if the list ends before */
std::vector<std::string> find_pages(const page_reader& read, const std::string& list, std::size_t rows,
                                    const std::vector<double>& depths);

} // namespace bench
