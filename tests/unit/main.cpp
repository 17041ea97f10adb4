// The entry of every Boost.Test binary here.
#define BOOST_TEST_MODULE boshd
#include <boost/test/unit_test.hpp>
