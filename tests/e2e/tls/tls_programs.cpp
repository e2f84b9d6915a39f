// Clients of others: curl, openssl s_client and Node, over the real program.
#include "tests/e2e/support/tls_fixture.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/third_party.hpp"

#include <boost/json/serialize.hpp>

#include <unistd.h>

#include <string>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(tls_programs)

namespace {

/// The standard output of a shell command, with its exit code at the end.
std::string run(const std::string& command, const support::environment& more = {})
{
    support::child_process shell({"/bin/sh", "-c", "{ " + command + "; } 2>&1; echo \" [$?]\""}, more,
                                 STDOUT_FILENO);
    shell.wait();
    return shell.output();
}

bool contains(const std::string& text, const std::string& part)
{
    return text.find(part) != text.npos;
}

struct programs : tls_fixture {
    std::string address = "localhost:" + std::to_string(server.port());
    std::string url = "https://" + address;

    /// @param request sent once the handshake is complete
    std::string s_client(const std::string& options,
                         const std::string& request = "GET /healthz HTTP/1.0\\r\\n\\r\\n") const
    {
        return run("(printf '" + request + "'; sleep 0.3) | timeout 30 openssl s_client -connect " + address +
                   " -CAfile " + own.cert() + " -verify_return_error " + options);
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(curl_keeps_its_connection, programs)
{
    auto out =
        run("curl -sS --cacert " + own.cert() + " -w '%{http_version} %{http_code} %{num_connects}\\n' " +
            url + "/healthz " + url + "/healthz -o /dev/null -o /dev/null");
    BOOST_TEST(contains(out, "1.1 200 1\n"), out);
    BOOST_TEST(contains(out, "1.1 200 0\n"), out);
    BOOST_TEST(contains(out, "[0]"), out);
    BOOST_TEST(
        contains(run("curl -sS --tls-max 1.2 --cacert " + own.cert() + " " + url + "/healthz"), "[0]"));
    auto untrusted = run("curl -sS " + url + "/healthz");
    BOOST_TEST(contains(untrusted, "[60]"), untrusted);
    auto old = run("curl -sS --tls-max 1.1 --ciphers ALL:@SECLEVEL=0 --cacert " + own.cert() + " " + url +
                   "/healthz");
    BOOST_TEST(contains(old, "[35]"), old);
}

BOOST_FIXTURE_TEST_CASE(openssl_resumes_its_session, programs)
{
    auto ticket = own.cert() + ".ticket";
    auto first = s_client("-sess_out " + ticket + " -alpn http/1.1");
    BOOST_TEST(contains(first, "New, TLSv1.3"), first);
    BOOST_TEST(contains(first, "ALPN protocol: http/1.1"), first);
    BOOST_TEST(contains(first, "HTTP/1.1 200"), first);
    BOOST_TEST(contains(first, "Verification: OK"), first);
    auto second = s_client("-sess_in " + ticket);
    BOOST_TEST(contains(second, "Reused, TLSv1.3"), second);
    BOOST_TEST(contains(second, "HTTP/1.1 200"), second);
    auto old = s_client("-tls1_2");
    BOOST_TEST(contains(old, "Secure Renegotiation IS supported"), old);
    BOOST_TEST(contains(old, "Compression: NONE"), old);
    BOOST_TEST(contains(old, "Extended master secret: yes"), old);
}

BOOST_FIXTURE_TEST_CASE(openssl_cannot_renegotiate, programs)
{
    auto out = s_client("-tls1_2", "R\\n");
    BOOST_TEST(contains(out, "RENEGOTIATING"), out);
    BOOST_TEST(contains(out, "no renegotiation"), out);
}

/// Early data could be replayed: it is neither offered nor read.
BOOST_FIXTURE_TEST_CASE(early_data_is_not_accepted, programs)
{
    auto ticket = own.cert() + ".ticket";
    auto first = s_client("-sess_out " + ticket);
    BOOST_TEST(contains(first, "Max Early Data: 0"), first);
}

BOOST_FIXTURE_TEST_CASE(node_uses_one_connection_and_its_tickets, programs)
{
    support::third_party_server node("tls-client", {{"server", server.port()}, {"ca", own.cert()}});
    BOOST_TEST(boost::json::serialize(node.start()) ==
               R"({"status":200,"keeps_connection":true,"protocol":"TLSv1.3","alpn":"http/1.1",)"
               R"("resumed":[false,true]})");
}

BOOST_AUTO_TEST_SUITE_END()
