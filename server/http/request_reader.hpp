// Request reader: the read buffer of a connection and the incremental parsing of requests from it.
#pragma once

#include "handlers/http/problem.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace server {

using request_parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

/// Largest request header, in bytes.
inline constexpr std::uint32_t max_header_size = 32 * 1024;

/** Bytes received on a connection and not yet discarded. Pipelined requests follow each other in the same
    buffer. Does no I/O: the connection reads into prepare() and calls commit(). */
class request_reader {
public:
    bool has_unparsed() const { return parsed_ < end_; }
    std::size_t unparsed() const { return end_ - parsed_; }

    std::string_view unparsed_bytes() const { return std::string_view(bytes_).substr(parsed_, unparsed()); }

    /// Take unparsed bytes for read, without the parser.
    void skip(std::size_t size) { parsed_ += size; }

    /// Offset of the first unparsed byte. prepare() moves offsets by its argument.
    std::size_t position() const { return parsed_; }

    /// The parsed bytes from offset `begin` on.
    std::string_view parsed_since(std::size_t begin) const
    {
        return std::string_view(bytes_).substr(begin, parsed_ - begin);
    }

    /// Feed the unparsed bytes to the parser. @return the problem of a malformed or oversized request
    std::optional<handlers::problem> parse(request_parser& parser);

    /** Space for the next read. Bytes before offset `keep_from` are discarded, so that pipelining does not
        grow the buffer. */
    boost::asio::mutable_buffer prepare(std::size_t keep_from);

    /// Account for `size` bytes read into prepare().
    void commit(std::size_t size) { end_ += size; }

    /// Discard everything.
    void clear() { parsed_ = end_ = 0; }

private:
    /// Grows to the largest request; the unparsed bytes are those from parsed_ to end_.
    std::string bytes_;
    std::size_t parsed_ = 0, end_ = 0;
};

/// The problem document of a parser's or a deadline's error: 400, 408, 413 or 431.
handlers::problem to_problem(boost::system::error_code error);

/** Check the parts of a chunked body that the parser does not limit: chunk headers and trailers, which it
    buffers until they are complete.
    @param header_fields number of fields before the body was read
    @param unparsed bytes that the parser has not consumed
    @return a problem if there are trailers, which would join the header fields that proxies and
    validate_header() have checked already, or if a chunk header is too long */
std::optional<handlers::problem> check_chunk_framing(const request_parser& parser,
                                                     std::ptrdiff_t header_fields, std::size_t unparsed);

/// Number of header fields parsed so far.
std::ptrdiff_t count_fields(const request_parser& parser);

} // namespace server
