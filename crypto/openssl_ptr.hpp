// OpenSSL's objects in unique_ptr.
#pragma once

namespace crypto {

/** A deleter that is a function: std::unique_ptr<EVP_MD_CTX, released_by<&EVP_MD_CTX_free>>. */
template <auto Free>
struct released_by {
    template <class T>
    void operator()(T* it) const
    {
        Free(it);
    }
};

} // namespace crypto
