// Letters that are put down as files.
#include "tests/server/mail/mail_fixture.hpp"
#include "tests/support/email.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using correspondence::letter_to;
using server::delivery;
namespace files = std::filesystem;

namespace {

struct desk {
    support::temporary_folder place;
    std::string folder = place.path() + "/data/mail"; // yet to be made

    delivery send(const server::mail& letter) { return server::send_to_folder(folder)->send(letter); }

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

/// It could not be written, and no other could be.
void check_failed(const delivery& went, const std::string& folder)
{
    BOOST_TEST((went.what == delivery::outcome::later));
    BOOST_TEST(went.is_cut_off);
    BOOST_TEST(went.cause.find(folder) != std::string::npos, went.cause);
}

} // namespace

BOOST_AUTO_TEST_SUITE(file_transport)

BOOST_FIXTURE_TEST_CASE(a_letter_is_a_file_for_its_owner_alone, desk)
{
    auto letter = letter_to("ada@example.org");
    auto went = send(letter);
    BOOST_TEST((went.what == delivery::outcome::sent), went.cause);
    BOOST_TEST(!went.is_cut_off);
    auto name = letter.id.substr(0, letter.id.find('@')) + ".eml";
    BOOST_TEST(names() == std::vector<std::string>{name}, boost::test_tools::per_element());
    BOOST_TEST(read(name) == server::to_mime(letter));
    BOOST_TEST(support::read_letter(read(name)).subject == letter.subject);
    BOOST_TEST((files::status(folder + "/" + name).permissions() ==
                (files::perms::owner_read | files::perms::owner_write)));
}

BOOST_FIXTURE_TEST_CASE(each_letter_has_a_file_of_its_own_however_often_it_is_sent, desk)
{
    auto sender = server::send_to_folder(folder);
    auto first = letter_to("ada@example.org"), second = letter_to("bob@example.org");
    for (auto letter : {&first, &second, &first})
        BOOST_TEST((sender->send(*letter).what == delivery::outcome::sent));
    BOOST_TEST(names().size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_large_letter_is_whole, desk)
{
    auto letter = letter_to("ada@example.org");
    letter.text = std::string(3'000'000, 'x');
    send(letter);
    BOOST_REQUIRE(names().size() == 1u);
    BOOST_TEST((read(names()[0]) == server::to_mime(letter)));
}

BOOST_FIXTURE_TEST_CASE(what_one_that_died_has_left_half_done_is_no_obstacle, desk)
{
    auto letter = letter_to("ada@example.org");
    auto name = letter.id.substr(0, letter.id.find('@')) + ".eml";
    files::create_directories(folder);
    std::ofstream(folder + "/" + name + ".new") << std::string(100'000, 'x');
    BOOST_TEST((send(letter).what == delivery::outcome::sent));
    BOOST_TEST(read(name) == server::to_mime(letter));
    BOOST_TEST(names().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_folder_that_cannot_be_made_is_tried_again_later, desk)
{
    std::ofstream(place.path() + "/data") << "a file stands in the way";
    auto letter = letter_to("ada@example.org");
    check_failed(send(letter), folder);
    files::remove(place.path() + "/data");
    BOOST_TEST((send(letter).what == delivery::outcome::sent));
}

BOOST_FIXTURE_TEST_CASE(a_file_that_cannot_be_opened_likewise, desk)
{
    auto letter = letter_to("ada@example.org");
    auto name = letter.id.substr(0, letter.id.find('@')) + ".eml";
    files::create_directories(folder + "/" + name + ".new");
    check_failed(send(letter), folder);
    files::remove(folder + "/" + name + ".new");
    files::create_directories(folder + "/" + name); // nor one that cannot get its name
    check_failed(send(letter), folder);
}

BOOST_FIXTURE_TEST_CASE(of_a_full_disk_nothing_comes_of_half_a_letter, desk)
{
    auto letter = letter_to("ada@example.org");
    auto name = letter.id.substr(0, letter.id.find('@')) + ".eml";
    files::create_directories(folder);
    files::create_symlink("/dev/full", folder + "/" + name + ".new");
    check_failed(send(letter), folder);
    BOOST_TEST(!files::exists(folder + "/" + name));
}

BOOST_AUTO_TEST_SUITE_END()
