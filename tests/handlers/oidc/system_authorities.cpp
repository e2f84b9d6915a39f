#include "handlers/oidc/system_authorities.hpp"

#include "tests/support/certificate.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace {

/// Environment variables while it exists.
struct authorities {
    authorities(const std::string& file, const std::string& folder)
    {
        setenv("SSL_CERT_FILE", file.c_str(), 1);
        setenv("SSL_CERT_DIR", folder.c_str(), 1);
    }
    ~authorities()
    {
        unsetenv("SSL_CERT_FILE");
        unsetenv("SSL_CERT_DIR");
    }
};

/// The number of authorities that a new context trusts without reading any more files.
int trusted()
{
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                              &SSL_CTX_free);
    handlers::trust_system_authorities(context.get());
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.get())));
}

} // namespace

BOOST_AUTO_TEST_SUITE(system_authorities)

BOOST_AUTO_TEST_CASE(the_file_and_the_folders_are_read_at_once)
{
    support::certificate one, two, three;
    support::temporary_folder folder, other;
    std::filesystem::copy(two.cert(), folder.path() + "/0123abcd.0");
    std::filesystem::copy(two.cert(), folder.path() + "/two.pem"); // OpenSSL does not look for this name
    std::filesystem::copy(three.cert(), other.path() + "/9876fedc.12");
    auto both = folder.path() + ":" + other.path();
    {
        authorities set(one.cert(), both);
        BOOST_TEST(trusted() == 3);
    }
    {
        authorities set("/nonexistent", both);
        BOOST_TEST(trusted() == 2);
    }
    {
        authorities set(one.cert(), "/nonexistent:");
        BOOST_TEST(trusted() == 1);
    }
    {
        authorities set(one.key(), folder.path()); // no certificate
        BOOST_TEST(trusted() == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
