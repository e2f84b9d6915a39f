#include "tests/support/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>

namespace support {

namespace {

template <auto Free>
struct deleter {
    template <class T>
    void operator()(T* pointer) const
    {
        Free(pointer);
    }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, deleter<Free>>;

void require(bool good)
{
    if (!good)
        throw std::runtime_error("OpenSSL cannot create a certificate");
}

void set_serial(X509* cert)
{
    std::uint32_t number = 0;
    require(RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) == 1);
    require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), number + 1ULL) == 1);
}

void set_names(X509* cert, const std::string& names)
{
    auto subject = X509_get_subject_name(cert);
    auto common_name = reinterpret_cast<const unsigned char*>("localhost");
    require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1);
    require(X509_set_issuer_name(cert, subject) == 1);
    owned<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
    require(extension && X509_add_ext(cert, extension.get(), -1) == 1);
}

void set_validity(X509* cert, long seconds)
{
    constexpr long hour = 60L * 60;
    require(X509_gmtime_adj(X509_getm_notBefore(cert), -hour) != nullptr);
    require(X509_gmtime_adj(X509_getm_notAfter(cert), seconds) != nullptr);
}

} // namespace

certificate::certificate(const std::string& names, long seconds)
{
    owned<EVP_PKEY, EVP_PKEY_free> pair(EVP_EC_gen("P-256"));
    owned<X509, X509_free> made(X509_new());
    require(pair && made && X509_set_version(made.get(), X509_VERSION_3) == 1);
    set_serial(made.get());
    set_names(made.get(), names);
    set_validity(made.get(), seconds);
    require(X509_set_pubkey(made.get(), pair.get()) == 1);
    require(X509_sign(made.get(), pair.get(), EVP_sha256()) > 0);

    owned<BIO, BIO_free> key_file(BIO_new_file(key().c_str(), "w"));
    require(key_file &&
            PEM_write_bio_PrivateKey(key_file.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    owned<BIO, BIO_free> cert_file(BIO_new_file(cert().c_str(), "w"));
    require(cert_file && PEM_write_bio_X509(cert_file.get(), made.get()) == 1);
}

} // namespace support
