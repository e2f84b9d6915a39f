// Secrets leave no copy behind.
#pragma once

#include <openssl/crypto.h>

#include <string>
#include <string_view>
#include <utility>

namespace crypto {

/** Overwrite a text, its spare room included, and empty it. Not optimised away. */
inline void wipe(std::string& secret)
{
    secret.resize(secret.capacity());
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

/** A text that wipes itself, and what it came from: a short std::string leaves its characters behind when it
    is moved. */
class secret_text {
public:
    explicit secret_text(std::string&& text) noexcept : text_(std::move(text)) { wipe(text); }
    secret_text(secret_text&& other) noexcept : secret_text(std::move(other.text_)) {}
    secret_text& operator=(secret_text&&) = delete;
    ~secret_text() { wipe(text_); }

    std::string_view view() const { return text_; }

private:
    std::string text_;
};

} // namespace crypto
