#include "server/http/request_reader.hpp"

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>

#include <cstring>
#include <iterator>

namespace server {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t read_size = 4096;

} // namespace

std::optional<handlers::problem> request_reader::parse(request_parser& parser)
{
    if (!has_unparsed())
        return std::nullopt;
    error_code error;
    parsed_ += parser.put(asio::buffer(bytes_.data() + parsed_, unparsed()), error);
    if (error && error != http::error::need_more)
        return to_problem(error);
    return std::nullopt;
}

asio::mutable_buffer request_reader::prepare(std::size_t keep_from)
{
    if (keep_from > 0) {
        std::memmove(bytes_.data(), bytes_.data() + keep_from, end_ - keep_from);
        parsed_ -= keep_from;
        end_ -= keep_from;
    }
    if (bytes_.size() - end_ < read_size)
        bytes_.resize(end_ + read_size);
    return asio::buffer(bytes_.data() + end_, bytes_.size() - end_);
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

std::optional<handlers::problem> check_chunk_framing(const request_parser& parser,
                                                     std::ptrdiff_t header_fields, std::size_t unparsed)
{
    if (parser.is_done() && count_fields(parser) != header_fields)
        return handlers::problem::of(handlers::codes::bad_request, "Trailers are not accepted.");
    if (!parser.is_done() && unparsed > max_header_size)
        return to_problem(http::error::header_limit);
    return std::nullopt;
}

std::ptrdiff_t count_fields(const request_parser& parser)
{
    return std::distance(parser.get().begin(), parser.get().end());
}

} // namespace server
