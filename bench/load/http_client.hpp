// HTTP/1.1 for a load generator: building requests, parsing responses, and a blocking client.
#pragma once

#include "bench/load/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

struct url {
    std::string host;
    std::uint16_t port = 80;
    /// Path and query.
    std::string target = "/";
    /// https
    bool uses_tls = false;

    std::string authority() const { return host + ":" + std::to_string(port); }
    std::string origin() const { return (uses_tls ? "https://" : "http://") + authority(); }
    std::string text() const { return origin() + target; }
};

/// Parse `http://host[:port][/path]`, or the same with https. @throw failure for anything else
url parse_url(std::string_view text);

/// The first address of a host. @throw failure if it has none
server_address resolve(const url& where);

using header = std::pair<std::string_view, std::string_view>;

/// A complete request. A body gets a Content-Length and, unless given in `headers`, a JSON Content-Type.
std::string make_request(std::string_view method, const url& where, std::span<const header> headers = {},
                         std::string_view body = {});

/** An incremental parser for one response at a time, fed in pieces of any size. Keeps the body only if
    requested. The usual case, a complete response in one piece, copies nothing. */
class response_reader {
public:
    enum class state { more, done, broken };

    /// Parse received bytes. Bytes after the end of the response are an error: requests are not pipelined.
    state feed(std::string_view bytes);

    /// End of stream: it completes a response without a length, and breaks any other.
    state finish();

    /// Reset for the next response.
    void restart();

    void keep_body(std::string* where) { body_ = where; }
    bool started() const { return part_ != part::head || !head_.empty(); }
    int status() const { return status_; }
    bool keep_alive() const { return keep_alive_; }

private:
    enum class part { head, counted_body, chunk_size, chunk_data, chunk_end, trailer, until_close };

    bool read_head(std::string_view head);
    state read_body(std::string_view bytes);
    state read_chunks(std::string_view bytes);
    void take_body(std::string_view bytes);

    part part_ = part::head;
    /// The incomplete head received so far.
    std::string head_;
    /// The incomplete chunk-size line received so far.
    std::string line_;
    std::uint64_t remaining_ = 0;
    int status_ = 0;
    bool keep_alive_ = true;
    std::string* body_ = nullptr;
};

/// Send all bytes on a blocking stream. @return whether that was possible
bool send_all(stream& link, std::string_view bytes);

/// Feed a reader with what a blocking stream receives next, or with its end.
response_reader::state feed_from(stream& link, response_reader& reader);

struct response {
    int status = 0;
    std::string body;
};

/** A blocking client: one request at a time on one connection, reopened when the server closed it. For setup,
    not for measuring. @throw failure if no response arrives within 30 s */
class http_client {
public:
    explicit http_client(url base);
    http_client(const http_client&) = delete;
    http_client& operator=(const http_client&) = delete;

    response call(std::string_view method, std::string_view target, std::span<const header> headers = {},
                  std::string_view body = {});

private:
    void connect();

    url base_;
    server_address address_;
    tls_client tls_;
    stream link_;
};

} // namespace bench
