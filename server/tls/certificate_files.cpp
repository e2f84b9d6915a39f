#include "server/tls/certificate_files.hpp"

#include "crypto/wipe.hpp"
#include "server/log.hpp"
#include "server/secret_files.hpp"

#include <chrono>
#include <exception>
#include <pthread.h>
#include <utility>

namespace server {

namespace {

constexpr std::chrono::seconds file_poll_interval{2};

/// Holds all public authorities several times.
constexpr std::size_t max_file_size = std::size_t{1} << 20;

std::string read_file(const std::string& setting, const std::string& path)
{
    auto file = read_secret_file(path, max_file_size);
    if (!file.error.empty())
        throw tls_error(variable_of(setting) + ": " + path + " cannot be read: " + file.error);
    return std::move(file.content);
}

/// @throw tls_error
tls_material read_files(const tls_settings& files)
{
    tls_material out{.certificates = read_file("tls_cert", files.cert),
                     .key = read_file("tls_key", files.key),
                     .client_authorities = std::nullopt};
    if (!files.client_ca.empty())
        out.client_authorities = read_file("tls_client_ca", files.client_ca);
    return out;
}

crypto::digest digest_of(const tls_material& material)
{
    auto parts = material.certificates;
    parts.append(1, '\0')
        .append(material.key)
        .append(1, '\0')
        .append(material.client_authorities.value_or(""));
    auto out = crypto::sha256(parts);
    crypto::wipe(parts);
    return out;
}

bool has_expired(const tls_context& one)
{
    return one.expires_at() <= std::chrono::system_clock::now();
}

void log_certificate(log_level level, std::string_view event, const tls_context& one)
{
    auto left = std::chrono::floor<std::chrono::seconds>(one.expires_at() - std::chrono::system_clock::now());
    log_line(level, event).add("sha256", one.fingerprint()).add("expires_in_seconds", left.count());
}

} // namespace

certificate_files::certificate_files(const tls_settings& files, std::shared_ptr<const ticket_keys> tickets)
    : files_(files), tickets_(std::move(tickets))
{
    auto material = read_files(files_);
    used_ = digest_of(material);
    current_ = std::make_shared<tls_context>(material, tickets_);
    log_certificate(has_expired(*current_) ? log_level::warning : log_level::info, "certificate loaded",
                    *current_);
}

std::shared_ptr<const tls_context> certificate_files::make_next(const tls_material& material) const
{
    auto next = std::make_shared<tls_context>(material, tickets_);
    if (has_expired(*next) && !has_expired(*current_))
        throw tls_error("LATCHKEY_TLS_CERT: the new certificate has expired");
    return next;
}

bool certificate_files::reload(bool always_logs)
{
    try {
        auto material = read_files(files_);
        auto digest = digest_of(material);
        if (digest == used_) {
            if (always_logs)
                log_certificate(log_level::info, "certificate unchanged", *current_);
            error_.clear();
            return false;
        }
        if (digest == refused_ && !always_logs)
            return false;
        refused_ = digest;
        current_ = make_next(material);
        used_ = digest;
    } catch (const std::exception& e) {
        if (!dynamic_cast<const tls_error*>(&e)) // such as a lack of memory: not the files' fault
            refused_ = {};
        if (always_logs || error_ != e.what())
            log_line(log_level::warning, "certificate not reloaded").add("cause", e.what());
        error_ = e.what();
        return false;
    }
    error_.clear();
    log_certificate(log_level::info, "certificate reloaded", *current_);
    return true;
}

certificate_watcher::certificate_watcher(certificate_files files, receiver changed)
    : files_(std::move(files)), changed_(std::move(changed)),
      thread_([this](const std::stop_token& stopping) { run(stopping); })
{}

void certificate_watcher::reload()
{
    {
        std::scoped_lock lock(mutex_);
        is_requested_ = true;
    }
    wake_.notify_one();
}

void certificate_watcher::run(const std::stop_token& stopping)
{
    pthread_setname_np(pthread_self(), "certificate");
    bool is_new = false;
    for (;;) {
        bool is_requested = false;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stopping, file_poll_interval, [&] { return is_requested_; });
            is_requested = std::exchange(is_requested_, false);
        }
        if (stopping.stop_requested())
            return;
        is_new |= files_.reload(is_requested);
        if (!is_new)
            continue;
        try {
            changed_(files_.current());
            is_new = false;
        } catch (const std::exception& e) { // such as a lack of memory: repeated after the interval
            log_line(log_level::warning, "certificate not passed on").add("cause", e.what());
        }
    }
}

} // namespace server
