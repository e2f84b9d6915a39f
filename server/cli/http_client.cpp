#include "server/cli/http_client.hpp"

#include <curl/curl.h>

#include <cstddef>
#include <new>
#include <stdexcept>

namespace server {

namespace {

struct free_list {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t append(char* data, std::size_t, std::size_t size, void* to)
{
    static_cast<std::string*>(to)->append(data, size);
    return size;
}

} // namespace

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

http_response http_client::get(const std::string& url)
{
    curl_easy_reset(state_->handle);
    curl_easy_setopt(state_->handle, CURLOPT_NOPROXY, "*"); // for this host only
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
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, lines.get());
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(h, CURLOPT_POSTFIELDS, body.c_str());
    return perform(url);
}

} // namespace server
