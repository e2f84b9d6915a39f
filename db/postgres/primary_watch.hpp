// Discovery of a promoted standby while the earlier primary still answers.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/dns_resolver.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace db {

/// Whether a connection string names several hosts. @throw failure if it is invalid
bool has_several_hosts(const std::string& conninfo);

/** Asks each of several hosts what it is, on a connection to each. A primary on a newer timeline becomes the
    known server, and so every connection of the process leaves the earlier one (known_server.hpp): an earlier
    primary that was paused or cut off, and does not know of its successor, looks healthy to a connection that
    it has.

    Does nothing for a single host. Belongs to one io_context's thread; destroy it before the io_context. */
class primary_watch {
public:
    struct config {
        std::string conninfo;
        dns_resolver names;

        /// Between two questions to one host.
        std::chrono::milliseconds interval{500};

        /// For an answer, or a connection.
        std::chrono::milliseconds deadline{2000};
    };

    primary_watch(boost::asio::io_context& io, config settings);
    ~primary_watch();
    primary_watch(const primary_watch&) = delete;
    primary_watch& operator=(const primary_watch&) = delete;

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

} // namespace db
