#include "server/http/request_parser.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <functional>
#include <memory>

namespace server {

namespace http = boost::beast::http;
using boost::beast::string_view;

namespace {

/** Whether a value is on the line of its name, in the bytes received. The parser joins the lines of a folded
    value in a buffer of its own, unless the first line is blank. */
bool is_on_line(std::string_view received, std::string_view name, std::string_view value)
{
    std::less_equal<> at_most; // a total order of pointers into different arrays
    auto begin = std::to_address(name.end()), at = std::to_address(value.begin());
    return at_most(begin, at) && at_most(at, std::to_address(received.end())) &&
           std::find(begin, at, '\n') == at;
}

} // namespace

void request_parser::on_request_impl(http::verb method, string_view, string_view target, int version,
                                     error_code&)
{
    head_.set_request_line(method, target, static_cast<unsigned>(version));
}

void request_parser::on_field_impl(http::field name, string_view name_text, string_view value,
                                   error_code& error)
{
    if (is_header_done())
        has_trailers_ = true;
    else if (!is_on_line(bytes_, name_text, value))
        has_folded_line_ = true;
    else if (!head_.add(name, name_text, value))
        error = http::error::header_limit;
}

void request_parser::on_body_init_impl(const optional_length& length, error_code&)
{
    if (length)
        body_.reserve(static_cast<std::size_t>(*length));
}

std::size_t request_parser::on_body_impl(string_view bytes, error_code&)
{
    body_.append(bytes.data(), bytes.size());
    return bytes.size();
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&)
{
    body_.append(bytes.data(), bytes.size());
    return bytes.size();
}

} // namespace server
