// As much of HTTP/1.1 as a load generator needs: build a request, read an answer, and a plain blocking
// client.
#pragma once

#include <sys/socket.h>

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
    std::string target = "/"; ///< path and query

    std::string authority() const { return host + ":" + std::to_string(port); }
    std::string text() const { return "http://" + authority() + target; }
};

/** Read `http://host[:port][/path]`. @throw failure for anything else */
url parse_url(std::string_view text);

/** Where to connect: a host's first address. @throw failure if it has none */
struct socket_address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
    const sockaddr* get() const;
};
socket_address resolve(const url& where);

using header = std::pair<std::string_view, std::string_view>;

/** A whole request, ready to send. A body gets a Content-Length and, unless told otherwise, a JSON type. */
std::string make_request(std::string_view method, const url& where, std::span<const header> headers = {},
                         std::string_view body = {});

/** Reads one answer at a time from a stream of bytes, in pieces of any size. Keeps the body only if asked to.
    The usual case, a whole answer in one piece, copies nothing. */
class response_reader {
public:
    enum class state { more, done, broken };

    /** Take what arrived. Bytes after the end of the answer make it broken: nothing here pipelines. */
    state feed(std::string_view bytes);

    /** The stream has ended: an answer without a length is whole now, any other is broken. */
    state finish();

    /** Make ready for the next answer. */
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
    std::string head_; // as far as it came, if it is not whole yet
    std::string line_; // the same for the line that tells a chunk's size
    std::uint64_t remaining_ = 0;
    int status_ = 0;
    bool keep_alive_ = true;
    std::string* body_ = nullptr;
};

struct answer {
    int status = 0;
    std::string body;
};

/** Calls a server, one request after the other, on one connection that is made anew when it was closed.
    For preparing a run, not for measuring. @throw failure if no answer comes within 30 s */
class http_client {
public:
    explicit http_client(url base);
    ~http_client();
    http_client(const http_client&) = delete;
    http_client& operator=(const http_client&) = delete;

    answer call(std::string_view method, std::string_view target, std::span<const header> headers = {},
                std::string_view body = {});

private:
    void connect();
    void close();

    url base_;
    socket_address address_;
    int socket_ = -1;
};

} // namespace bench
