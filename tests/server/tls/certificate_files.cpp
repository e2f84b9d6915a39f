// Certificate files: what a reload takes over, and what it keeps.
#include "server/tls/certificate_files.hpp"

#include "tests/support/certificate.hpp"
#include "tests/support/eventually.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <filesystem>
#include <string>

using support::certificate;

namespace {

struct files {
    server::certificate_files make(const std::string& client_ca = {}) const
    {
        server::tls_settings settings{own.cert(), own.key(), client_ca};
        return {settings, std::make_shared<server::ticket_keys>(crypto::keyring(crypto::key{1}))};
    }

    std::string error(const std::string& client_ca = {}) const
    {
        try {
            make(client_ca);
            return {};
        } catch (const server::tls_error& e) {
            return e.what();
        }
    }

    certificate own;
};

} // namespace

BOOST_AUTO_TEST_SUITE(certificate_files)

BOOST_FIXTURE_TEST_CASE(a_new_certificate_is_used, files)
{
    auto loaded = make();
    auto before = loaded.current();
    BOOST_TEST(!loaded.reload(false));
    BOOST_TEST(!loaded.reload(true));
    BOOST_TEST(loaded.current() == before);
    certificate next;
    next.replace(own);
    BOOST_TEST(loaded.reload(false));
    BOOST_TEST(loaded.current()->fingerprint() != before->fingerprint());
    BOOST_TEST(!loaded.reload(false));
}

BOOST_FIXTURE_TEST_CASE(an_invalid_certificate_changes_nothing, files)
{
    auto loaded = make();
    auto before = loaded.current();
    certificate next, expired("DNS:localhost", -60);
    auto cert = support::file_content(own.cert()), key = support::file_content(own.key());
    auto keeps = [&] { return !loaded.reload(false) && loaded.current() == before; };

    support::replace_file(own.cert(), support::file_content(next.cert())); // the key has not followed yet
    BOOST_TEST(keeps());
    BOOST_TEST(keeps());
    support::replace_file(own.cert(), "");
    BOOST_TEST(keeps());
    support::replace_file(own.cert(), cert.substr(0, cert.size() / 2));
    BOOST_TEST(keeps());
    std::filesystem::remove(own.cert());
    BOOST_TEST(keeps());
    expired.replace(own);
    BOOST_TEST(keeps());
    support::replace_file(own.cert(), cert);
    support::replace_file(own.key(), key);
    BOOST_TEST(keeps());
    next.replace(own);
    BOOST_TEST(loaded.reload(false));
}

/// As while it is being written: no client is let in without a certificate.
BOOST_FIXTURE_TEST_CASE(an_empty_list_of_authorities_changes_nothing, files)
{
    certificate ca({.names = "one", .is_authority = true});
    auto loaded = make(ca.cert());
    auto before = loaded.current();
    for (auto nothing : {"", "\n"}) {
        support::replace_file(ca.cert(), nothing);
        BOOST_TEST(!loaded.reload(true));
        BOOST_TEST(loaded.current() == before);
        BOOST_TEST(error(ca.cert()) == "LATCHKEY_TLS_CLIENT_CA: the file has no certificate in PEM format");
    }
}

BOOST_FIXTURE_TEST_CASE(files_that_cannot_be_read_are_named, files)
{
    BOOST_TEST(error() == "");
    BOOST_TEST(error("/nowhere/ca.pem") ==
               "LATCHKEY_TLS_CLIENT_CA: /nowhere/ca.pem cannot be read: No such file or directory");
    BOOST_TEST(error("/") == "LATCHKEY_TLS_CLIENT_CA: / cannot be read: Is a directory");
    BOOST_TEST(error("/dev/zero") ==
               "LATCHKEY_TLS_CLIENT_CA: /dev/zero cannot be read: it has more than 1024 KiB");
    std::filesystem::remove(own.key());
    BOOST_TEST(error() == "LATCHKEY_TLS_KEY: " + own.key() + " cannot be read: No such file or directory");
    std::filesystem::remove(own.cert());
    BOOST_TEST(error() == "LATCHKEY_TLS_CERT: " + own.cert() + " cannot be read: No such file or directory");
}

/// As certificates do that a test or an operator has let expire: refusing to start would not help.
BOOST_AUTO_TEST_CASE(an_expired_certificate_is_used_at_the_start)
{
    certificate expired("DNS:localhost", -60), next("DNS:localhost", -30), valid;
    server::certificate_files loaded({expired.cert(), expired.key(), {}},
                                     std::make_shared<server::ticket_keys>(crypto::keyring(crypto::key{1})));
    next.replace(expired);
    BOOST_TEST(loaded.reload(false));
    valid.replace(expired);
    BOOST_TEST(loaded.reload(false));
}

BOOST_FIXTURE_TEST_CASE(the_watcher_notices_a_change_by_itself_and_on_request, files)
{
    std::atomic<int> changes{0};
    {
        server::certificate_watcher watcher(make(), [&](auto) { ++changes; });
        certificate second, third;
        second.replace(own);
        BOOST_TEST(support::eventually([&] { return changes == 1; }));
        third.replace(own);
        watcher.reload();
        BOOST_TEST(support::eventually([&] { return changes == 2; }));
    }
    BOOST_TEST(changes == 2);
}

BOOST_FIXTURE_TEST_CASE(a_certificate_that_could_not_be_passed_on_is_passed_on_later, files)
{
    std::atomic<int> calls{0};
    server::certificate_watcher watcher(make(), [&](auto) {
        if (++calls == 1)
            throw std::bad_alloc();
    });
    certificate second;
    second.replace(own);
    BOOST_TEST(support::eventually([&] { return calls == 2; }));
}

BOOST_AUTO_TEST_SUITE_END()
