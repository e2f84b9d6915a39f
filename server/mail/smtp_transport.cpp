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

constexpr long connect_limit = 10, total_limit = 30; // seconds
constexpr std::chrono::seconds idle_limit{60};       // of a kept connection, before libcurl tires of it

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
            throw std::runtime_error("libcurl does not start");
        prepare();
    }

    ~smtp_transport() override
    {
        hang_up();
        handle_.reset(); // while there is something to call back
    }
    smtp_transport(const smtp_transport&) = delete;
    smtp_transport& operator=(const smtp_transport&) = delete;

    delivery send(const mail& letter) override
    {
        if (clock::now() - used_at_ > idle_limit)
            hang_up();
        used_at_ = clock::now();
        bytes_ = to_mime(letter);
        set(CURLOPT_MAIL_FROM, ("<" + letter.from.address + ">").c_str());
        std::unique_ptr<curl_slist, free_list> to(
            curl_slist_append(nullptr, ("<" + letter.to.address + ">").c_str()));
        set(CURLOPT_MAIL_RCPT, to.get());
        // The domain that the server is greeted with stands in the place of the path.
        auto domain = letter.from.address.substr(letter.from.address.find('@') + 1);
        set(CURLOPT_URL, (server_.url + "/" + domain).c_str());
        auto code = perform();
        if (was_closed_meanwhile(code))
            code = perform();
        if (code != CURLE_OK)
            hang_up();
        return judge(code);
    }

private:
    using clock = std::chrono::steady_clock;

    CURLcode perform()
    {
        sent_ = 0;
        last_command_.clear();
        answer_ = 0;
        reason_.fill('\0');
        return curl_easy_perform(handle_.get());
    }

    /** Without a farewell, for whose answer libcurl would wait for two minutes, whatever its limits. Nor is a
        connection worth keeping on which something went wrong. */
    void hang_up() const
    {
        for (auto socket : sockets_)
            ::shutdown(socket, SHUT_RDWR);
    }

    /** Whether the server has answered in another way than was hoped for, or has hung up. */
    static bool is_of_server(CURLcode code)
    {
        return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY;
    }

    /** Whether the server had given up the connection that was kept for this letter, which then has not even
     * begun. */
    bool was_closed_meanwhile(CURLcode code) const
    {
        long opened = 0;
        curl_easy_getinfo(handle_.get(), CURLINFO_NUM_CONNECTS, &opened);
        return is_of_server(code) && opened == 0 && last_command_ == "MAIL";
    }

    template <class T>
    void set(CURLoption option, T value)
    {
        curl_easy_setopt(handle_.get(), option, value);
    }

    void prepare()
    {
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        set(CURLOPT_USE_SSL, static_cast<long>(server_.is_local ? CURLUSESSL_TRY : CURLUSESSL_ALL));
        set(CURLOPT_CONNECTTIMEOUT, connect_limit);
        set(CURLOPT_TIMEOUT, total_limit);
        set(CURLOPT_UPLOAD, 1L);
        if (!server_.user.empty()) {
            set(CURLOPT_USERNAME, server_.user.c_str());
            set(CURLOPT_PASSWORD, server_.password.c_str());
        }
        if (auto authorities = std::getenv("SSL_CERT_FILE")) // which OpenSSL heeds and libcurl does not
            set(CURLOPT_CAINFO, authorities);
        set(CURLOPT_ERRORBUFFER, reason_.data());

        set(CURLOPT_SOCKOPTFUNCTION, &smtp_transport::note_opened);
        set(CURLOPT_SOCKOPTDATA, this);
        set(CURLOPT_CLOSESOCKETFUNCTION, &smtp_transport::close_socket);
        set(CURLOPT_CLOSESOCKETDATA, this);
        set(CURLOPT_READFUNCTION, &smtp_transport::read);
        set(CURLOPT_READDATA, this);
        set(CURLOPT_NOPROGRESS, 0L);
        set(CURLOPT_XFERINFOFUNCTION, &smtp_transport::note_progress);
        set(CURLOPT_XFERINFODATA, this);
        // libcurl does not tell which command a refusal answers, but it shows commands and answers as they
        // go.
        set(CURLOPT_VERBOSE, 1L);
        set(CURLOPT_DEBUGFUNCTION, &smtp_transport::note_line);
        set(CURLOPT_DEBUGDATA, this);
    }

    static int note_opened(void* self, curl_socket_t socket, curlsocktype)
    {
        static_cast<smtp_transport*>(self)->sockets_.push_back(socket);
        return CURL_SOCKOPT_OK;
    }

    static int close_socket(void* self, curl_socket_t socket)
    {
        std::erase(static_cast<smtp_transport*>(self)->sockets_, socket);
        return ::close(socket);
    }

    static std::size_t read(char* to, std::size_t size, std::size_t count, void* self)
    {
        auto& me = *static_cast<smtp_transport*>(self);
        auto n = std::min(size * count, me.bytes_.size() - me.sent_);
        std::copy_n(me.bytes_.data() + me.sent_, n, to);
        me.sent_ += n;
        return n;
    }

    static int note_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
    {
        return static_cast<smtp_transport*>(self)->is_stopping_() ? 1 : 0;
    }

    /** After a refusal libcurl takes its leave, and it is not that which was refused. */
    static int note_line(CURL*, curl_infotype what, char* text, std::size_t size, void* self)
    {
        auto& me = *static_cast<smtp_transport*>(self);
        std::string_view line(text, size);
        if (what == CURLINFO_HEADER_OUT) {
            me.is_leaving_ = line.starts_with("QUIT");
            if (!me.is_leaving_)
                me.last_command_ = line.substr(0, 4);
        } else if (what == CURLINFO_HEADER_IN && !me.is_leaving_) {
            std::from_chars(text, text + std::min<std::size_t>(size, 3), me.answer_);
        }
        return 0;
    }

    /** A refusal for good (5xx) that answers the recipient or the letter itself is meant for this letter; one
       that answers the greeting, the password or the sender is about us, and an operator will mend it. */
    delivery judge(CURLcode code)
    {
        using outcome = delivery::outcome;
        if (code == CURLE_OK)
            return {outcome::sent, false, {}};
        std::string cause = reason_.front() ? reason_.data() : curl_easy_strerror(code);
        bool about_letter = last_command_ == "RCPT" || last_command_ == "DATA";
        bool answered = is_of_server(code);
        if (about_letter && answered && answer_ >= 500 && answer_ < 600)
            return {outcome::never, false, std::move(cause)};
        return {outcome::later, !(about_letter && answered && answer_ >= 400), std::move(cause)};
    }

    smtp_settings server_;
    std::function<bool()> is_stopping_;
    std::unique_ptr<CURL, free_handle> handle_;
    std::array<char, CURL_ERROR_SIZE> reason_{};
    std::vector<curl_socket_t> sockets_; // open
    clock::time_point used_at_ = clock::now();
    std::string bytes_, last_command_;
    std::size_t sent_ = 0;
    int answer_ = 0; // the last one's code
    bool is_leaving_ = false;
};

} // namespace

std::unique_ptr<mail_transport> send_by_smtp(const smtp_settings& server, std::function<bool()> is_stopping)
{
    return std::make_unique<smtp_transport>(server, std::move(is_stopping));
}

} // namespace server
