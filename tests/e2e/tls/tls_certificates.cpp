// The server's certificate: errors at the start, reloading, its expiry in the metrics, and the commands that
// check a server.
#include "tests/e2e/support/tls_fixture.hpp"
#include "tests/support/child_process.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>

using namespace e2e;
using support::certificate;

namespace {

struct ended {
    int code;
    std::string output;
};

/// Start a server that does not come up.
ended start_in_vain(const support::database& db, const support::environment& more)
{
    support::environment settings{{"LATCHKEY_LISTEN", "127.0.0.1:0"},
                                  {"LATCHKEY_DATABASE_URL", db.conninfo()},
                                  {"LATCHKEY_MASTER_KEY", support::random_master_key()}};
    settings.insert(settings.end(), more.begin(), more.end());
    support::child_process process({support::program_path(), "serve"}, settings, STDERR_FILENO);
    auto code = process.wait().value_or(-1);
    return {code, process.output()};
}

bool contains(const std::string& text, const std::string& part)
{
    return text.find(part) != text.npos;
}

std::string fingerprint_at(const support::running_server& server)
{
    return support::tls_client(server.port()).fingerprint();
}

} // namespace

BOOST_AUTO_TEST_SUITE(tls_certificates)

BOOST_AUTO_TEST_CASE(a_faulty_setting_ends_the_start_with_its_name)
{
    support::database db;
    certificate own, other;
    struct {
        support::environment settings;
        int code;
        std::string message;
    } const table[] = {
        {{{"LATCHKEY_TLS_CERT", own.cert()}},
         2,
         "LATCHKEY_TLS_CERT: requires LATCHKEY_TLS_KEY, and vice versa"},
        {{{"LATCHKEY_TLS_KEY", own.key()}},
         2,
         "LATCHKEY_TLS_CERT: requires LATCHKEY_TLS_KEY, and vice versa"},
        {{{"LATCHKEY_TLS_CLIENT_CA", own.cert()}}, 2, "LATCHKEY_TLS_CLIENT_CA: requires LATCHKEY_TLS_CERT"},
        {{{"LATCHKEY_TLS_CERT", own.cert()}, {"LATCHKEY_TLS_KEY", other.key()}},
         1,
         "LATCHKEY_TLS_KEY: the key does not belong to the certificate of LATCHKEY_TLS_CERT"},
        {{{"LATCHKEY_TLS_CERT", "/nowhere.pem"}, {"LATCHKEY_TLS_KEY", own.key()}},
         1,
         "LATCHKEY_TLS_CERT: /nowhere.pem cannot be read: No such file or directory"},
        {{{"LATCHKEY_TLS_CERT", own.key()}, {"LATCHKEY_TLS_KEY", own.key()}},
         1,
         "LATCHKEY_TLS_CERT: the file has no certificate in PEM format"},
    };
    for (auto& [settings, code, message] : table) {
        auto end = start_in_vain(db, settings);
        BOOST_TEST(end.code == code, message);
        BOOST_TEST(contains(end.output, "latchkey: " + message), end.output);
    }
}

BOOST_FIXTURE_TEST_CASE(a_certificate_is_reloaded_when_it_changes, tls_fixture)
{
    support::tls_client before(server.port());
    BOOST_TEST(before.get("/healthz").status == 200u);
    for (int i = 0; i < 2; ++i) {
        certificate next;
        next.replace(own);
        BOOST_TEST(support::eventually(
            [&] { return fingerprint_at(server) == support::fingerprint_of(next.cert()); }));
    }
    BOOST_TEST(before.get("/healthz").status == 200u); // keeps the certificate it began with
    BOOST_TEST(before.fingerprint() != fingerprint_at(server));
}

/// As Kubernetes replaces the files of a secret.
BOOST_AUTO_TEST_CASE(a_certificate_behind_symbolic_links_is_reloaded)
{
    namespace fs = std::filesystem;
    support::temporary_folder folder;
    certificate first, second;
    fs::create_directory_symlink(fs::path(first.cert()).parent_path(), folder.path() + "/data");
    support::database db;
    support::running_server server(db.conninfo(), {{"LATCHKEY_TLS_CERT", folder.path() + "/data/cert.pem"},
                                                   {"LATCHKEY_TLS_KEY", folder.path() + "/data/key.pem"}});
    BOOST_TEST(fingerprint_at(server) == support::fingerprint_of(first.cert()));
    fs::create_directory_symlink(fs::path(second.cert()).parent_path(), folder.path() + "/next");
    fs::rename(folder.path() + "/next", folder.path() + "/data");
    BOOST_TEST(support::eventually(
        [&] { return fingerprint_at(server) == support::fingerprint_of(second.cert()); }));
}

BOOST_FIXTURE_TEST_CASE(a_certificate_is_reloaded_on_sighup, tls_fixture)
{
    server.send(SIGHUP);
    BOOST_TEST(server.logs("\"event\":\"certificate unchanged\""));
    certificate next;
    next.replace(own);
    server.send(SIGHUP);
    BOOST_TEST(server.logs("\"event\":\"certificate reloaded\",\"sha256\":\"" +
                           support::fingerprint_of(next.cert())));
    BOOST_TEST(
        support::eventually([&] { return fingerprint_at(server) == support::fingerprint_of(next.cert()); }));
}

BOOST_FIXTURE_TEST_CASE(an_invalid_certificate_keeps_the_old_one, tls_fixture)
{
    auto old = fingerprint_at(server);
    certificate expired("DNS:localhost", -3600), next;
    support::replace_file(own.key(), support::file_content(next.key()));
    BOOST_TEST(
        server.logs("\"event\":\"certificate not reloaded\",\"cause\":\"LATCHKEY_TLS_KEY: the key does not "
                    "belong to the certificate of LATCHKEY_TLS_CERT\""));
    BOOST_TEST(fingerprint_at(server) == old);
    expired.replace(own);
    BOOST_TEST(server.logs("the new certificate has expired"));
    BOOST_TEST(fingerprint_at(server) == old);
    std::filesystem::remove(own.cert());
    BOOST_TEST(server.logs("cannot be read: No such file or directory"));
    BOOST_TEST(fingerprint_at(server) == old);
    next.replace(own);
    BOOST_TEST(
        support::eventually([&] { return fingerprint_at(server) == support::fingerprint_of(next.cert()); }));
}

BOOST_FIXTURE_TEST_CASE(the_expiry_is_a_metric, tls_fixture)
{
    auto left = [&] {
        auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
        return (metric("latchkey_tls_certificate_expiry_timestamp_seconds") - now) / 3600;
    };
    BOOST_TEST((left() > 23 && left() <= 24));
    certificate next("DNS:localhost", 3600);
    next.replace(own);
    BOOST_TEST(support::eventually([&] { return left() <= 1; }));
}

BOOST_AUTO_TEST_CASE(without_tls_its_metrics_have_no_samples)
{
    support::database db;
    support::running_server server(db.conninfo());
    BOOST_TEST(!contains(support::http_client(server.port()).get("/metrics").body, "\nlatchkey_tls"));
}

/// The certificate is for the public name, which is not the address that a probe on this host uses.
BOOST_AUTO_TEST_CASE(health_and_ready_speak_tls)
{
    certificate elsewhere("DNS:id.example.com");
    support::database db;
    support::environment tls{{"LATCHKEY_TLS_CERT", elsewhere.cert()}, {"LATCHKEY_TLS_KEY", elsewhere.key()}};
    support::running_server server(db.conninfo(), tls);
    tls.emplace_back("LATCHKEY_LISTEN", "127.0.0.1:" + std::to_string(server.port()));
    for (auto* command : {"health", "ready"}) {
        support::child_process probe({support::program_path(), command}, tls, STDERR_FILENO);
        BOOST_TEST(probe.wait().value_or(-1) == 0, command << probe.output());
    }
}

BOOST_FIXTURE_TEST_CASE(the_public_url_is_https, tls_fixture)
{
    auto document = support::tls_client(server.port()).get("/openapi.json");
    BOOST_TEST(document.text("/servers/0/url").starts_with("https://127.0.0.1:"),
               document.text("/servers/0/url"));
}

BOOST_AUTO_TEST_SUITE_END()
