// A PGconn driven by Asio: libpq owns the socket, Asio borrows it.
#pragma once

#include "db/postgres/async.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace db {

/// One attempt at a connection, and then the connection. Never blocks, but for the resolver in open().
class connection {
public:
    using descriptor = boost::asio::posix::basic_stream_descriptor<executor>;

    struct config {
        const std::string& conninfo;
        std::chrono::milliseconds statement_timeout; ///< sent at connect unless the conninfo has `options`
        bool prepare;                                ///< false: only check the statements, keep none
        bool by_index_alone;                         ///< plans read no whole tables
        std::size_t attempt;                         ///< which of several hosts to try first
    };

    explicit connection(executor where) : socket_(where) {}
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /** Connect, enter pipeline mode, prepare every statement of the program and ask for the wall, the latter
       two in one round trip. Has no deadline of its own: cancel() ends it. Host names are looked up by the
       system's resolver, which blocks.
        @throw failure what PostgreSQL or the network said, with the statement's name where one is refused */
    awaitable<void> open(config settings);

    /// End whatever waits for the socket, with operation_aborted.
    void cancel();

    /// Whether the wall between workspaces stood when the connection was made (db/postgres/row_security.hpp).
    bool walled() const { return walled_; }

    PGconn* get() const { return pg_.get(); }
    descriptor& socket() { return socket_; }

private:
    struct finish {
        void operator()(PGconn* pg) const { PQfinish(pg); }
    };

    awaitable<void> wait(descriptor::wait_type readiness);
    void borrow_socket();
    void return_socket();
    awaitable<void> greet();
    awaitable<void> prepare_all(bool keep);

    std::unique_ptr<PGconn, finish> pg_;
    descriptor socket_;
    bool walled_ = false;
};

} // namespace db
