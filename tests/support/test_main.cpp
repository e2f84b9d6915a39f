// The one main of every test program.
#define BOOST_TEST_MODULE latchkey
#define BOOST_TEST_DYN_LINK
#include <boost/test/unit_test.hpp>
