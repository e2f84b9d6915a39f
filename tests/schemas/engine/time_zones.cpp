// The names of the tz database.
#include "schemas/engine/time_zones.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(time_zones)

BOOST_AUTO_TEST_CASE(zones_and_aliases_are_read)
{
    std::istringstream tzdata("# version 2025b\n"
                              "R d 1916 o - Jun 14 23s 1 S\n"
                              "Z Africa/Algiers 0:12:12 - LMT 1891 Mar 16\n"
                              "0:9:21 - PMT 1911 Mar 11\n"
                              "Z Factory 0 - -00\n"
                              "L Africa/Algiers Africa/Here\n"
                              "L broken\n"
                              "Z\n"
                              "\n"
                              "L Africa/Algiers Africa/Here\n");
    BOOST_TEST(schemas::read_time_zones(tzdata) ==
                   (std::vector<std::string>{"Africa/Algiers", "Africa/Here"}),
               boost::test_tools::per_element());
    std::istringstream nothing;
    BOOST_TEST(schemas::read_time_zones(nothing).empty());
}

BOOST_AUTO_TEST_CASE(the_system_has_a_tz_database)
{
    schemas::load_time_zones();
    for (const auto* name : {"UTC", "Etc/UTC", "Etc/GMT+5", "Europe/Berlin", "Europe/Kyiv", "Europe/Kiev",
                             "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Asia/Calcutta"})
        BOOST_TEST(schemas::is_time_zone(name), name);
    for (const auto* name : {"", "europe/berlin", "Europe/Berlin ", "Europe", "Mars/Olympus_Mons", "Factory",
                             "CEST", "posix/Europe/Berlin", "localtime", "../etc/passwd", "ACT"})
        BOOST_TEST(!schemas::is_time_zone(name), name);
}

BOOST_AUTO_TEST_SUITE_END()
