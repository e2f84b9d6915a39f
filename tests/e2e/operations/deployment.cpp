// compose.yaml and the Kubernetes manifests, checked without a container runtime.
#include "tests/support/third_party.hpp"

#include <boost/json/array.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(deployment)

BOOST_AUTO_TEST_CASE(manifests_match_the_schemas_of_their_kinds)
{
    const std::string source = LATCHKEY_SOURCE_DIR;
    support::third_party_server checker("check-manifests", {{"folder", source + "/scripts/deploy/kubernetes"},
                                                            {"compose", source + "/compose.yaml"}});
    for (auto& fault : checker.start().at("faults").as_array())
        BOOST_ERROR(fault.as_string());
    BOOST_TEST(checker.start().at("checked").as_array().size() == 10u);
}

BOOST_AUTO_TEST_SUITE_END()
