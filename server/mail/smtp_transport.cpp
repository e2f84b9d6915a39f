#include "server/mail/mail_transport.hpp"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace server {

namespace {

/// In seconds.
constexpr long connect_limit = 10, total_limit = 30;
/// A kept connection is reused for this long, which is less than libcurl keeps it.
constexpr std::chrono::seconds idle_limit{60};

struct free_handle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct free_list {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

class smtp_transport : public mail_transport {
public:
    smtp_transport(smtp_settings server, std::function<bool()> is_stopping)
        : server_(std::move(server)), is_stopping_(std::move(is_stopping))
    {
        static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
        handle_.reset(ready == CURLE_OK ? curl_easy_init() : nullptr);
        if (!handle_)
            throw std::runtime_error("libcurl cannot be initialized");
        prepare();
    }

    ~smtp_transport() override
    {
        shut_down_sockets();
        handle_.reset(); // its callbacks use other members
    }
    smtp_transport(const smtp_transport&) = delete;
    smtp_transport& operator=(const smtp_transport&) = delete;

    delivery send(const mail_message& message) override
    {
        if (clock::now() - last_used_ > idle_limit)
            shut_down_sockets();
        last_used_ = clock::now();
        message_ = to_mime(message);
        set(CURLOPT_MAIL_FROM, ("<" + message.from.address + ">").c_str());
        std::unique_ptr<curl_slist, free_list> to(
            curl_slist_append(nullptr, ("<" + message.to.address + ">").c_str()));
        set(CURLOPT_MAIL_RCPT, to.get());
        // The path of the URL is the domain for EHLO.
        auto domain = message.from.address.substr(message.from.address.find('@') + 1);
        set(CURLOPT_URL, (server_.url + "/" + domain).c_str());
        auto code = perform();
        if (was_kept_connection_closed(code))
            code = perform();
        if (code != CURLE_OK)
            shut_down_sockets();
        return to_delivery(code);
    }

private:
    using clock = std::chrono::steady_clock;

    CURLcode perform()
    {
        sent_bytes_ = 0;
        last_command_.clear();
        reply_code_ = 0;
        error_text_.fill('\0');
        return curl_easy_perform(handle_.get());
    }

    /** Close without QUIT: libcurl awaits its reply for two minutes regardless of its timeouts. A
        connection is not reused after an error either. */
    void shut_down_sockets() const
    {
        for (auto socket : sockets_)
            ::shutdown(socket, SHUT_RDWR);
    }

    /// Whether the server rejected a command or closed the connection.
    static bool is_server_error(CURLcode code)
    {
        return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY;
    }

    /// Whether the server had closed the kept connection before this message: no part of it was sent.
    bool was_kept_connection_closed(CURLcode code) const
    {
        long opened = 0;
        curl_easy_getinfo(handle_.get(), CURLINFO_NUM_CONNECTS, &opened);
        return is_server_error(code) && opened == 0 && last_command_ == "MAIL";
    }

    template <class T>
    void set(CURLoption option, T value)
    {
        curl_easy_setopt(handle_.get(), option, value);
    }

    void prepare()
    {
        set(CURLOPT_NOSIGNAL, 1L);
#if CURL_AT_LEAST_VERSION(7, 87, 0)
        set(CURLOPT_QUICK_EXIT, 1L); // an aborted delivery does not wait for a name server
#endif
        set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        set(CURLOPT_USE_SSL, static_cast<long>(server_.is_local ? CURLUSESSL_TRY : CURLUSESSL_ALL));
        set(CURLOPT_CONNECTTIMEOUT, connect_limit);
        set(CURLOPT_TIMEOUT, total_limit);
        set(CURLOPT_UPLOAD, 1L);
        if (!server_.user.empty()) {
            set(CURLOPT_USERNAME, server_.user.c_str());
            set(CURLOPT_PASSWORD, server_.password.c_str());
        }
        if (auto authorities = std::getenv("SSL_CERT_FILE")) // honored by OpenSSL, ignored by libcurl
            set(CURLOPT_CAINFO, authorities);
        set(CURLOPT_ERRORBUFFER, error_text_.data());

        set(CURLOPT_SOCKOPTFUNCTION, &smtp_transport::on_socket_opened);
        set(CURLOPT_SOCKOPTDATA, this);
        set(CURLOPT_CLOSESOCKETFUNCTION, &smtp_transport::on_close_socket);
        set(CURLOPT_CLOSESOCKETDATA, this);
        set(CURLOPT_READFUNCTION, &smtp_transport::on_read);
        set(CURLOPT_READDATA, this);
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, &smtp_transport::on_progress);
        set(CURLOPT_XFERINFODATA, this);
        // libcurl does not report which command was rejected, but its debug callback sees commands and
        // replies.
        set(CURLOPT_VERBOSE, 1L);
        set(CURLOPT_DEBUGFUNCTION, &smtp_transport::on_debug);
        set(CURLOPT_DEBUGDATA, this);
    }

    static int on_socket_opened(void* self, curl_socket_t socket, curlsocktype)
    {
        static_cast<smtp_transport*>(self)->sockets_.push_back(socket);
        return CURL_SOCKOPT_OK;
    }

    static int on_close_socket(void* self, curl_socket_t socket)
    {
        std::erase(static_cast<smtp_transport*>(self)->sockets_, socket);
        return ::close(socket);
    }

    static std::size_t on_read(char* to, std::size_t size, std::size_t count, void* self)
    {
        auto& me = *static_cast<smtp_transport*>(self);
        auto n = std::min(size * count, me.message_.size() - me.sent_bytes_);
        std::copy_n(me.message_.data() + me.sent_bytes_, n, to);
        me.sent_bytes_ += n;
        return n;
    }

    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
    {
        return static_cast<smtp_transport*>(self)->is_stopping_() ? 1 : 0;
    }

    /// libcurl sends QUIT after a rejection; its reply is not the one to report.
    static int on_debug(CURL*, curl_infotype what, char* text, std::size_t size, void* self)
    {
        auto& me = *static_cast<smtp_transport*>(self);
        std::string_view line(text, size);
        if (what == CURLINFO_HEADER_OUT) {
            me.is_quitting_ = line.starts_with("QUIT");
            if (!me.is_quitting_)
                me.last_command_ = line.substr(0, 4);
        } else if (what == CURLINFO_HEADER_IN && !me.is_quitting_) {
            std::from_chars(text, text + std::min<std::size_t>(size, 3), me.reply_code_);
        }
        return 0;
    }

    /** Classify an error. A permanent rejection (5xx) of RCPT or DATA concerns this message; one of the
        greeting, the login or the sender concerns the configuration, which an operator can fix. */
    delivery to_delivery(CURLcode code)
    {
        if (code == CURLE_OK)
            return {delivery::sent, false, {}};
        std::string cause = error_text_.front() ? error_text_.data() : curl_easy_strerror(code);
        bool concerns_message = last_command_ == "RCPT" || last_command_ == "DATA";
        bool is_reply = is_server_error(code);
        if (concerns_message && is_reply && reply_code_ >= 500 && reply_code_ < 600)
            return {delivery::failed, false, std::move(cause)};
        return {delivery::deferred, !(concerns_message && is_reply && reply_code_ >= 400), std::move(cause)};
    }

    smtp_settings server_;
    std::function<bool()> is_stopping_;
    std::unique_ptr<CURL, free_handle> handle_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    /// Open sockets.
    std::vector<curl_socket_t> sockets_;
    clock::time_point last_used_ = clock::now();
    std::string message_, last_command_;
    std::size_t sent_bytes_ = 0;
    /// Status code of the last reply.
    int reply_code_ = 0;
    bool is_quitting_ = false;
};

} // namespace

std::unique_ptr<mail_transport> make_smtp_transport(const smtp_settings& server,
                                                    std::function<bool()> is_stopping)
{
    return std::make_unique<smtp_transport>(server, std::move(is_stopping));
}

} // namespace server
