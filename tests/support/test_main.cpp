// The one main of every test program.
#define BOOST_TEST_MODULE latchkey
#include <boost/test/unit_test.hpp>
