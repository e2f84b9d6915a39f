// Validates every response that the e2e suites observed against the OpenAPI document: status, code and shape.
#include "handlers/openapi/document.hpp"
#include "handlers/routes.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/third_party.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

BOOST_AUTO_TEST_SUITE(exchanges)

BOOST_AUTO_TEST_CASE(every_observed_response_is_documented)
{
    support::temporary_folder folder;
    auto document = folder.path() + "/openapi.json";
    std::ofstream(document) << boost::json::serialize(
        handlers::describe_api(handlers::all_routes(), "http://127.0.0.1:8080", "0"));
    support::third_party_server checker("check-exchanges",
                                        {{"document", document}, {"folder", LATCHKEY_EXCHANGES}});
    auto& report = checker.start();
    for (auto& fault : report.at("faults").as_array())
        BOOST_ERROR(fault.as_string());
    // A partial run observes less: the check for operations without a success needs the whole suite.
    namespace fs = std::filesystem;
    auto suites = std::distance(fs::directory_iterator(LATCHKEY_EXCHANGES), fs::directory_iterator());
    BOOST_TEST_MESSAGE(report.at("checked").as_int64() << " responses of " << suites << " suites");
    constexpr std::ptrdiff_t all_suites = 40;
    if (suites < all_suites)
        return;
    for (auto& operation : report.at("unseen").as_array())
        BOOST_ERROR("no test has seen it succeed: " << operation.as_string());
}

BOOST_AUTO_TEST_SUITE_END()
