// Smart pointers for OpenSSL's objects.
#pragma once

#include <memory>

namespace crypto {

/// A deleter that calls one of OpenSSL's free functions.
template <auto Free>
struct openssl_deleter {
    template <class T>
    void operator()(T* object) const
    {
        Free(object);
    }
};

/// A unique_ptr with that deleter: openssl_ptr<EVP_MD_CTX, &EVP_MD_CTX_free>.
template <class T, auto Free>
using openssl_ptr = std::unique_ptr<T, openssl_deleter<Free>>;

} // namespace crypto
