// Secrets leave no copy behind.
#pragma once

#include <openssl/crypto.h>

#include <string>

namespace crypto {

/** Overwrite a text, its spare room included, and empty it. Not optimised away. */
inline void wipe(std::string& secret)
{
    secret.resize(secret.capacity());
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

} // namespace crypto
