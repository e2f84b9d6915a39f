// Request reader: the read buffer of a connection and the incremental parsing of requests from it.
#pragma once

#include "handlers/http/problem.hpp"
#include "server/http/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace server {

/// Largest request header, in bytes.
inline constexpr std::uint32_t max_header_size = 32 * 1024;

/** Bytes received on a connection and not yet discarded. Pipelined requests follow each other in the same
    buffer, and the header of the current one stays in it. Does no I/O: the connection reads into prepare()
    and calls commit(). */
class request_reader {
public:
    /// Use this memory, as long as it suffices.
    void attach(std::span<char> memory) { memory_ = memory; }

    /// Discard everything, and use the memory no more.
    void detach();

    bool has_unparsed() const { return parsed_ < end_; }
    std::size_t unparsed() const { return end_ - parsed_; }

    std::string_view unparsed_bytes() const { return {bytes_ + parsed_, unparsed()}; }

    /// Take unparsed bytes for read, without the parser.
    void skip(std::size_t size) { parsed_ += size; }

    /// The unparsed bytes begin with a request that a new parser will parse.
    void begin_request() { header_ = header_end_ = parsed_; }

    /** Feed the unparsed bytes to the parser of the current request.
        @return the problem of a malformed or oversized request */
    std::optional<handlers::problem> parse(request_parser& parser);

    /** Forget the header of the current request, so that the space for its body may move.
        @return its bytes, to which the parser is to be rebased */
    std::string take_header();

    /** Space for the next read. All bytes are discarded but the header of the current request and the
        unparsed ones, so that neither pipelining nor a long body grows the buffer.
        @param parser of the current request. Its header moves with the buffer: no view of it remains valid.
        Null: its header has been taken, or there is none */
    boost::asio::mutable_buffer prepare(request_parser* parser);

    /// Account for `size` bytes read into prepare().
    void commit(std::size_t size) { end_ += size; }

    /// Discard everything.
    void clear() { header_ = header_end_ = parsed_ = end_ = 0; }

private:
    void move_to(char* memory, std::size_t capacity);

    std::span<char> memory_;
    /// For a header that the attached memory is too small for.
    std::unique_ptr<char[]> larger_;
    /// Of either. The current request's header is at header_, as far as it is parsed; the unparsed bytes are
    /// those from parsed_ to end_.
    char* bytes_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t header_ = 0, header_end_ = 0, parsed_ = 0, end_ = 0;
};

/// The problem document of a parser's or a deadline's error: 400, 408, 413 or 431.
handlers::problem to_problem(boost::system::error_code error);

/** Check the parts of a chunked body that the parser does not limit: chunk headers and trailers, which it
    buffers until they are complete.
    @param unparsed bytes that the parser has not consumed
    @return a problem if there are trailers, which would join the header fields that proxies and
    validate_header() have checked already, or if a chunk header is too long */
std::optional<handlers::problem> check_chunk_framing(const request_parser& parser, std::size_t unparsed);

} // namespace server
