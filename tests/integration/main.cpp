// The entry of every integration test.
#define BOOST_TEST_MODULE boshd_integration
#include <boost/test/unit_test.hpp>
