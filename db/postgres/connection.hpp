// A PGconn driven by Asio: libpq owns the socket, Asio borrows it.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/dns_resolver.hpp"
#include "db/postgres/known_server.hpp"
#include "db/postgres/statement.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace db {

/// One connection attempt, and then the connection. Never blocks: libpq gets addresses, not names to resolve.
class connection {
public:
    using descriptor = boost::asio::posix::basic_stream_descriptor<executor>;

    struct config {
        const std::string& conninfo;

        /// Resolves the hosts of conninfo.
        const dns_resolver& names;

        /// Sent at connect, unless the conninfo has `options`.
        std::chrono::milliseconds statement_timeout;

        /// False behind a transaction-mode pooler: send nothing that it rejects.
        bool prepare;

        /// Plans do not scan whole tables.
        bool prefer_index_scans;

        /// Selects which of several hosts to try first.
        std::size_t attempt;

        /// Let PostgreSQL parse every statement of the program, and keep none.
        bool check_statements;

        /// To look at one of the hosts, primary or not: identify() alone, and no other statement.
        std::optional<std::size_t> only_host = std::nullopt;
    };

    explicit connection(executor where) : socket_(where) {}
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /** Connect to a writable primary and enter pipeline mode. Then, in one round trip, check the statements
        if requested, identify the server, and check for row-level security. Has no deadline of its own:
        cancel() ends it, but for the second that it may take to resolve names.
        @throw failure as reported by PostgreSQL or the network, with the name of a refused statement */
    awaitable<void> open(config settings);

    /// Ask the server again what it is. Only if opened with `only_host`, and without a deadline.
    /// @throw as open()
    awaitable<void> identify();

    /// Complete all waits for the socket with operation_aborted, also those that open() would begin later.
    void cancel();

    /// Whether row-level security was in effect at connect (db/postgres/row_security.hpp).
    bool has_row_security() const { return has_row_security_; }

    /// Whether the server was a writable primary when it was last asked.
    bool is_primary() const { return is_primary_; }

    /// The server. Its timeline is known of a primary only.
    const server_identity& identity() const { return identity_; }

    PGconn* get() const { return pg_.get(); }
    descriptor& socket() { return socket_; }

private:
    struct finish {
        void operator()(PGconn* pg) const { PQfinish(pg); }
    };

    void check_cancelled() const;
    awaitable<void> wait(descriptor::wait_type readiness);
    void assign_socket();
    void release_socket();
    awaitable<void> poll_connect();
    awaitable<void> run_checks(bool check_statements);
    awaitable<void> read_answers(const std::vector<const statement*>& statements);
    std::vector<const statement*> send_checks(bool check_statements);
    bool send_check(const statement& check);
    void read_check(const statement& check, const PGresult* answer);
    awaitable<void> flush_all();

    std::unique_ptr<PGconn, finish> pg_;
    descriptor socket_;
    bool cancelled_ = false;
    bool has_row_security_ = false, is_primary_ = false;
    server_identity identity_;
};

} // namespace db
