// The pages behind mailed links, used in a browser: no token reaches a URL or a referrer that is sent.
#include "tests/e2e/support/mail_fixture.hpp"
#include "tests/support/third_party.hpp"

#include <boost/json/array.hpp>

#include <vector>

using namespace e2e;

namespace {

struct links_fixture : mail_fixture {
    links_fixture()
    {
        ada = sign_up(client, "ada@example.com");
        BOOST_REQUIRE(verify(emailed_token("ada@example.com", verify_subject)).status == 200u);
    }

    /// The link with the server's port, which is not known when the public URL is set.
    std::string reachable(std::string link) const
    {
        const std::string host = "http://127.0.0.1:0/";
        BOOST_REQUIRE_MESSAGE(link.starts_with(host), link);
        return "http://127.0.0.1:" + std::to_string(server.port()) + link.substr(host.size() - 1);
    }

    std::string link_to(const std::string& email, std::string_view subject)
    {
        return reachable(support::link_in(email_to(email, subject)));
    }

    void change_email(const std::string& to)
    {
        auto asked = post("/email/change", support::object({{"new_email", to}, {"password", "long enough"}}),
                          ada.token);
        BOOST_REQUIRE_MESSAGE(asked.status == 202u, asked.body);
    }

    /// Open the links in a browser and press the last page's button.
    boost::json::object open(const std::vector<std::string>& links)
    {
        boost::json::array list(links.begin(), links.end());
        support::third_party_server browser("open-links", {{"links", std::move(list)}});
        auto report = browser.start();
        for (auto& one : report.at("errors").as_array())
            BOOST_ERROR(one.as_string());
        BOOST_TEST(std::string(report.at("address").as_string()).find("token") == std::string::npos);
        return report;
    }

    static bool sent_a_token(const boost::json::object& report)
    {
        for (auto& one : report.at("sent").as_array())
            if (std::string(one.as_string()).find("token=") != std::string::npos)
                return true;
        return false;
    }

    person ada;
};

} // namespace

BOOST_AUTO_TEST_SUITE(link_pages)

BOOST_FIXTURE_TEST_CASE(a_second_link_in_the_same_tab_replaces_the_first, links_fixture)
{
    change_email("first@example.com");
    auto first = link_to("first@example.com", "Confirm your new email address");
    change_email("second@example.com");
    auto second = link_to("second@example.com", "Confirm your new email address");
    auto report = open({first, second});
    BOOST_TEST(report.at("outcome").as_string() == "Your email address has been changed.");
    BOOST_TEST(!sent_a_token(report));
    BOOST_TEST(client.get(base + "/me", ada.token).text("/user/email") == "second@example.com");
    for (auto& link : {first, second})
        BOOST_TEST(server.log().find(link.substr(link.find('=') + 1)) == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(both_unsubscribe_links_open_the_page, links_fixture)
{
    for (bool by_header : {false, true}) {
        client.patch(base + "/me/notifications", R"({"key_minted":{"email":true}})", ada.token);
        client.post(base + "/api-keys", R"({"name":"k"})", ada.token);
        auto notice = email_to("ada@example.com", "A new API key");
        auto header = notice.headers.at("list-unsubscribe");
        auto link = by_header ? header.substr(1, header.size() - 2) : support::link_in(notice);
        BOOST_TEST((link.find('#') != std::string::npos) == !by_header, link);
        BOOST_TEST(open({reachable(link)}).at("outcome").as_string() == "You have been unsubscribed.");
        BOOST_TEST(json_at(client.get(base + "/me/notifications", ada.token), "/key_minted/email") ==
                   "false");
    }
}

BOOST_AUTO_TEST_SUITE_END()
