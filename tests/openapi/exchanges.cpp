// Every answer that the flows saw, held against the document: no status, code or shape that it does not tell.
#include "handlers/openapi/document.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/third_party.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

BOOST_AUTO_TEST_SUITE(exchanges)

BOOST_AUTO_TEST_CASE(every_answer_is_one_that_the_document_tells_of)
{
    support::temporary_folder folder;
    auto document = folder.path() + "/openapi.json";
    std::ofstream(document) << boost::json::serialize(handlers::describe_api("http://127.0.0.1:8080", "0"));
    support::peer checker("check-exchanges", {{"document", document}, {"folder", LATCHKEY_EXCHANGES}});
    auto& told = checker.start();
    for (auto& fault : told.at("faults").as_array())
        BOOST_ERROR(fault.as_string());
    // Where only some of the flows have run, there is less to see.
    namespace fs = std::filesystem;
    auto suites = std::distance(fs::directory_iterator(LATCHKEY_EXCHANGES), fs::directory_iterator());
    BOOST_TEST_MESSAGE(told.at("checked").as_int64() << " answers of " << suites << " suites");
    constexpr std::ptrdiff_t most_suites = 40;
    if (suites < most_suites)
        return;
    for (auto& operation : told.at("unseen").as_array())
        BOOST_ERROR("no flow has seen it succeed: " << operation.as_string());
}

BOOST_AUTO_TEST_SUITE_END()
