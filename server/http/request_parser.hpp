// Request parser: HTTP/1.1 by Beast's basic_parser, which keeps slices of the header and copies nothing of
// it.
#pragma once

#include "handlers/http/request_head.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace server {

/** Parses one request. The bytes of its header stay in the buffer of the caller, who says where they are (see
    rebase()); the body is collected here. */
class request_parser final : public boost::beast::http::basic_parser<true> {
public:
    /// @param header where the first byte of the header is now
    void rebase(const char* header) { head_.rebase(header); }

    /// Parse bytes that follow those already parsed. @return the number of bytes used
    std::size_t feed(std::string_view bytes, boost::system::error_code& error)
    {
        bytes_ = bytes;
        return put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    }

    const handlers::request_head& head() const { return head_; }
    const std::string& body() const { return body_; }

    /// A line of the header continues on the next one (obs-fold): deprecated, and interpreted differently by
    /// many servers.
    bool has_folded_line() const { return has_folded_line_; }

    /// There are fields after a chunked body.
    bool has_trailers() const { return has_trailers_; }

private:
    using error_code = boost::system::error_code;
    using optional_length = boost::optional<std::uint64_t>;

    void on_request_impl(boost::beast::http::verb method, boost::beast::string_view,
                         boost::beast::string_view target, int version, error_code&) override;
    void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
    void on_field_impl(boost::beast::http::field name, boost::beast::string_view name_text,
                       boost::beast::string_view value, error_code&) override;
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const optional_length& length, error_code&) override;
    std::size_t on_body_impl(boost::beast::string_view bytes, error_code&) override;
    void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view bytes, error_code&) override;
    void on_finish_impl(error_code&) override {}

    handlers::request_head head_;
    std::string body_;
    /// Of the current feed().
    std::string_view bytes_;
    bool has_folded_line_ = false;
    bool has_trailers_ = false;
};

} // namespace server
