#include "tests/support/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
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

void add_extension(X509* cert, int kind, const std::string& value)
{
    owned<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
    require(extension && X509_add_ext(cert, extension.get(), -1) == 1);
}

void set_subject(X509* cert, const std::string& common_name)
{
    auto text = reinterpret_cast<const unsigned char*>(common_name.c_str());
    require(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, text, -1, -1, 0) ==
            1);
}

owned<X509, X509_free> read_certificate(const std::string& path)
{
    owned<BIO, BIO_free> file(BIO_new_file(path.c_str(), "r"));
    require(file != nullptr);
    owned<X509, X509_free> out(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
    require(out != nullptr);
    return out;
}

owned<EVP_PKEY, EVP_PKEY_free> read_key(const std::string& path)
{
    owned<BIO, BIO_free> file(BIO_new_file(path.c_str(), "r"));
    require(file != nullptr);
    owned<EVP_PKEY, EVP_PKEY_free> out(PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr));
    require(out != nullptr);
    return out;
}

void set_validity(X509* cert, long seconds)
{
    constexpr long hour = 60L * 60;
    require(X509_gmtime_adj(X509_getm_notBefore(cert), -hour) != nullptr);
    require(X509_gmtime_adj(X509_getm_notAfter(cert), seconds) != nullptr);
}

} // namespace

certificate::certificate(const std::string& names, long seconds)
    : certificate(certificate_options{.names = names, .seconds = seconds})
{}

certificate::certificate(const certificate_options& options)
{
    owned<EVP_PKEY, EVP_PKEY_free> pair(options.rsa_bits > 0 ? EVP_RSA_gen(options.rsa_bits)
                                                             : EVP_EC_gen("P-256"));
    owned<X509, X509_free> made(X509_new());
    require(pair && made && X509_set_version(made.get(), X509_VERSION_3) == 1);
    set_serial(made.get());
    set_subject(made.get(), options.is_authority ? "authority " + options.names : "localhost");
    set_validity(made.get(), options.seconds);
    require(X509_set_pubkey(made.get(), pair.get()) == 1);
    if (options.is_authority)
        add_extension(made.get(), NID_basic_constraints, "critical,CA:TRUE");
    else
        add_extension(made.get(), NID_subject_alt_name, options.names);

    auto issuer = options.issuer ? read_certificate(options.issuer->cert()) : nullptr;
    auto issuer_key = options.issuer ? read_key(options.issuer->key()) : nullptr;
    require(X509_set_issuer_name(made.get(), X509_get_subject_name(issuer ? issuer.get() : made.get())) == 1);
    require(X509_sign(made.get(), issuer_key ? issuer_key.get() : pair.get(), EVP_sha256()) > 0);

    owned<BIO, BIO_free> key_file(BIO_new_file(key().c_str(), "w"));
    require(key_file &&
            PEM_write_bio_PrivateKey(key_file.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    owned<BIO, BIO_free> cert_file(BIO_new_file(cert().c_str(), "w"));
    require(cert_file && PEM_write_bio_X509(cert_file.get(), made.get()) == 1);
}

void certificate::replace(const certificate& other) const
{
    replace_file(other.cert(), file_content(cert()));
    replace_file(other.key(), file_content(key()));
}

std::string file_content(const std::string& path)
{
    std::ifstream file(path);
    std::string out{std::istreambuf_iterator<char>(file), {}};
    if (!file)
        throw std::runtime_error("cannot read " + path);
    return out;
}

void replace_file(const std::string& path, const std::string& content)
{
    auto next = path + ".next";
    std::ofstream file(next);
    file << content << std::flush;
    if (!file)
        throw std::runtime_error("cannot write " + next);
    std::filesystem::rename(next, path);
}

} // namespace support
