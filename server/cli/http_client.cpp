#include "server/cli/http_client.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <cstddef>
#include <new>
#include <stdexcept>

namespace server {

namespace {

struct free_list {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// Larger responses are errors.
constexpr std::size_t max_response_size = std::size_t{16} << 20;

std::size_t append(char* data, std::size_t, std::size_t size, void* to)
{
    auto& body = *static_cast<std::string*>(to);
    if (size > max_response_size - body.size())
        return 0; // libcurl fails the transfer
    body.append(data, size);
    return size;
}

/// A component of a URL; empty if it has none.
std::string part_of(CURLU* url, CURLUPart which)
{
    char* text = nullptr;
    if (curl_url_get(url, which, &text, 0) != CURLUE_OK)
        return {};
    std::string out(text);
    curl_free(text);
    return out;
}

bool is_loopback(std::string host)
{
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, host.c_str(), &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, host.c_str(), &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return host == "localhost"; // which libcurl never looks up
}

} // namespace

std::optional<url_reach> reach_of(const std::string& url)
{
    std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), &curl_url_cleanup);
    if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
        return std::nullopt;
    auto scheme = part_of(parsed.get(), CURLUPART_SCHEME), host = part_of(parsed.get(), CURLUPART_HOST);
    if ((scheme != "http" && scheme != "https") || host.empty())
        return std::nullopt;
    if (scheme == "https")
        return url_reach::network_encrypted;
    return is_loopback(host) ? url_reach::this_machine : url_reach::network_in_clear;
}

struct http_client::state {
    CURL* handle;
    long timeout;
};

http_client::http_client(long timeout)
{
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    auto handle = ready == CURLE_OK ? curl_easy_init() : nullptr;
    if (!handle)
        throw std::runtime_error("libcurl cannot be initialized");
    state_ = std::make_unique<state>(state{handle, timeout});
}

http_client::~http_client()
{
    curl_easy_cleanup(state_->handle);
}

http_response http_client::perform(const std::string& url)
{
    http_response out;
    auto* h = state_->handle;
    curl_easy_setopt(h, CURLOPT_URL, url.c_str());
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_TIMEOUT, state_->timeout);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, &append);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &out.body);
    auto code = curl_easy_perform(h);
    if (code != CURLE_OK)
        out.error = curl_easy_strerror(code);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &out.status);
    return out;
}

http_response http_client::get(const std::string& url, const std::optional<client_tls>& tls)
{
    curl_easy_reset(state_->handle);
    curl_easy_setopt(state_->handle, CURLOPT_NOPROXY, "*"); // for this host only
    if (tls) {
        curl_easy_setopt(state_->handle, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(state_->handle, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (tls && !tls->cert.empty()) {
        curl_easy_setopt(state_->handle, CURLOPT_SSLCERT, tls->cert.c_str());
        curl_easy_setopt(state_->handle, CURLOPT_SSLKEY, tls->key.c_str());
    }
    return perform(url);
}

http_response http_client::post(const std::string& url, const std::string& body,
                                const std::vector<std::string>& headers)
{
    std::unique_ptr<curl_slist, free_list> lines;
    for (auto& header : headers) {
        auto longer = curl_slist_append(lines.get(), header.c_str());
        if (!longer)
            throw std::bad_alloc();
        [[maybe_unused]] auto same = lines.release();
        lines.reset(longer);
    }
    auto* h = state_->handle;
    curl_easy_reset(h);
    if (reach_of(url) != url_reach::network_encrypted)
        curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, lines.get());
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(h, CURLOPT_POSTFIELDS, body.c_str());
    return perform(url);
}

} // namespace server
