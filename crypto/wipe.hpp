// Wiping secrets from memory.
#pragma once

#include <openssl/crypto.h>

#include <string>
#include <string_view>
#include <utility>

namespace crypto {

/// Overwrite a string, including its spare capacity, and empty it. Not optimized away.
inline void wipe(std::string& secret)
{
    secret.resize(secret.capacity());
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

/** A string that wipes itself, and the string that it was moved from: a moved-from short std::string keeps
    its characters. */
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
