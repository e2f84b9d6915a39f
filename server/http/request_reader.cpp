#include "server/http/request_reader.hpp"

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace server {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

/// Space for a read in memory of the reader's own, and the least before it moves there.
constexpr std::size_t read_size = 4096, least_space = 1024;

} // namespace

void request_reader::detach()
{
    clear();
    larger_.reset();
    memory_ = {};
    bytes_ = nullptr;
    capacity_ = 0;
}

/// @param memory with space for the bytes from 0 to end_
void request_reader::move_to(char* memory, std::size_t capacity)
{
    if (end_ > 0)
        std::memcpy(memory, bytes_, end_);
    bytes_ = memory;
    capacity_ = capacity;
}

std::optional<handlers::problem> request_reader::parse(request_parser& parser)
{
    if (!has_unparsed())
        return std::nullopt;
    error_code error;
    bool is_in_header = !parser.is_header_done();
    if (is_in_header)
        parser.rebase(bytes_ + header_);
    parsed_ += parser.feed(unparsed_bytes(), error);
    if (is_in_header)
        header_end_ = parsed_;
    if (error && error != http::error::need_more)
        return to_problem(error);
    return std::nullopt;
}

std::string request_reader::take_header()
{
    std::string out(bytes_ + header_, header_end_ - header_);
    header_ = header_end_ = parsed_;
    return out;
}

asio::mutable_buffer request_reader::prepare(request_parser* parser)
{
    auto discard = [&](std::size_t from, std::size_t to) {
        if (from == to)
            return;
        std::memmove(bytes_ + from, bytes_ + to, end_ - to);
        parsed_ -= to - from;
        end_ -= to - from;
    };
    discard(header_end_, parsed_); // of the body
    discard(0, header_);           // of the requests before
    header_end_ -= header_;
    header_ = 0;
    if (bytes_ != memory_.data() && memory_.size() >= end_ + read_size) {
        move_to(memory_.data(), memory_.size());
        larger_.reset();
    } else if (capacity_ < end_ + least_space) {
        auto capacity = std::max(2 * capacity_, end_ + read_size);
        auto larger = std::make_unique_for_overwrite<char[]>(capacity);
        move_to(larger.get(), capacity);
        larger_ = std::move(larger);
    }
    if (parser)
        parser->rebase(bytes_);
    return asio::buffer(bytes_ + end_, capacity_ - end_);
}

handlers::problem to_problem(error_code error)
{
    using handlers::codes;
    using handlers::problem;
    auto describe = [&] {
        if (error == http::error::body_limit)
            return problem::of(codes::payload_too_large);
        if (error == http::error::header_limit)
            return problem::of(codes::bad_request.with_status(431), "The request header is too large.");
        if (error == boost::beast::error::timeout)
            return problem::of(codes::bad_request.with_status(408), "The request did not arrive in time.");
        return problem::of(codes::bad_request, "The request is not well-formed HTTP.");
    };
    return describe().with_cause(error.message());
}

std::optional<handlers::problem> check_chunk_framing(const request_parser& parser, std::size_t unparsed)
{
    if (parser.has_trailers())
        return handlers::problem::of(handlers::codes::bad_request, "Trailers are not accepted.");
    if (!parser.is_done() && unparsed > max_header_size)
        return to_problem(http::error::header_limit);
    return std::nullopt;
}

} // namespace server
