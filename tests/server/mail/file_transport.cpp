// File transport: one file per email, complete or absent.
#include "tests/server/mail/mail_fixture.hpp"
#include "tests/support/email.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using server::delivery;
using server::test::make_email;
namespace files = std::filesystem;

namespace {

struct file_transport_fixture {
    support::temporary_folder temporary;
    std::string folder = temporary.path() + "/data/mail"; // created by the transport

    delivery send(const server::mail_message& email)
    {
        return server::make_file_transport(folder)->send(email);
    }

    std::vector<std::string> names() const
    {
        std::vector<std::string> out;
        for (auto& entry : files::directory_iterator(folder))
            out.push_back(entry.path().filename().string());
        return out;
    }

    std::string read(const std::string& name) const
    {
        std::ifstream file(folder + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

/// Deferred for a reason that concerns every message.
void check_failed(const delivery& result, const std::string& folder)
{
    BOOST_TEST((result.status == delivery::deferred));
    BOOST_TEST(result.server_unavailable);
    BOOST_TEST(result.cause.find(folder) != std::string::npos, result.cause);
}

} // namespace

BOOST_AUTO_TEST_SUITE(file_transport)

BOOST_FIXTURE_TEST_CASE(an_email_is_a_file_readable_by_its_owner_only, file_transport_fixture)
{
    auto email = make_email("ada@example.org");
    auto result = send(email);
    BOOST_TEST((result.status == delivery::sent), result.cause);
    BOOST_TEST(!result.server_unavailable);
    auto name = email.id.substr(0, email.id.find('@')) + ".eml";
    BOOST_TEST(names() == std::vector<std::string>{name}, boost::test_tools::per_element());
    BOOST_TEST(read(name) == server::to_mime(email));
    BOOST_TEST(support::parse_email(read(name)).subject == email.subject);
    BOOST_TEST((files::status(folder + "/" + name).permissions() ==
                (files::perms::owner_read | files::perms::owner_write)));
}

BOOST_FIXTURE_TEST_CASE(resending_an_email_replaces_its_file, file_transport_fixture)
{
    auto transport = server::make_file_transport(folder);
    auto first = make_email("ada@example.org"), second = make_email("bob@example.org");
    for (auto email : {&first, &second, &first})
        BOOST_TEST((transport->send(*email).status == delivery::sent));
    BOOST_TEST(names().size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_large_email_is_complete, file_transport_fixture)
{
    auto email = make_email("ada@example.org");
    email.text = std::string(3'000'000, 'x');
    send(email);
    BOOST_REQUIRE(names().size() == 1u);
    BOOST_TEST((read(names()[0]) == server::to_mime(email)));
}

BOOST_FIXTURE_TEST_CASE(a_partial_file_of_a_crashed_process_is_replaced, file_transport_fixture)
{
    auto email = make_email("ada@example.org");
    auto name = email.id.substr(0, email.id.find('@')) + ".eml";
    files::create_directories(folder);
    std::ofstream(folder + "/" + name + ".new") << std::string(100'000, 'x');
    BOOST_TEST((send(email).status == delivery::sent));
    BOOST_TEST(read(name) == server::to_mime(email));
    BOOST_TEST(names().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_uncreatable_folder_defers_delivery, file_transport_fixture)
{
    std::ofstream(temporary.path() + "/data") << "not a folder";
    auto email = make_email("ada@example.org");
    check_failed(send(email), folder);
    files::remove(temporary.path() + "/data");
    BOOST_TEST((send(email).status == delivery::sent));
}

BOOST_FIXTURE_TEST_CASE(an_unwritable_file_defers_delivery, file_transport_fixture)
{
    auto email = make_email("ada@example.org");
    auto name = email.id.substr(0, email.id.find('@')) + ".eml";
    files::create_directories(folder + "/" + name + ".new");
    check_failed(send(email), folder);
    files::remove(folder + "/" + name + ".new");
    files::create_directories(folder + "/" + name); // rename fails
    check_failed(send(email), folder);
}

BOOST_FIXTURE_TEST_CASE(a_full_disk_leaves_no_partial_email, file_transport_fixture)
{
    auto email = make_email("ada@example.org");
    auto name = email.id.substr(0, email.id.find('@')) + ".eml";
    files::create_directories(folder);
    files::create_symlink("/dev/full", folder + "/" + name + ".new");
    check_failed(send(email), folder);
    BOOST_TEST(!files::exists(folder + "/" + name));
}

BOOST_AUTO_TEST_SUITE_END()
