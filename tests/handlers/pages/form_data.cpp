// Forms: what a browser sends, and what it never would.
#include "handlers/pages/form_data.hpp"

#include "schemas/account.hpp"
#include "schemas/auth.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace handlers;

namespace {

struct form_fixture : test::handler_fixture {
    result<pages::form_data> read(const std::string& body,
                                  std::string_view type = "application/x-www-form-urlencoded")
    {
        if (type.empty())
            message.erase(http::field::content_type);
        else
            message.set(http::field::content_type, type);
        message.body() = body;
        return pages::form_data::read(req);
    }

    /// The name of the error code; empty for a form.
    std::string refusal(const std::string& body, std::string_view type = "application/x-www-form-urlencoded")
    {
        auto form = read(body, type);
        return form ? "" : std::string(form.error().code.name());
    }

    /// The fields that a schema rejects: "email value_error password missing".
    template <class In>
    std::string errors(const std::string& body)
    {
        auto form = read(body);
        BOOST_REQUIRE(form.has_value());
        auto in = form->as<In>();
        std::string out;
        if (in)
            return out;
        for (auto& error : in.error().errors)
            out.append(out.empty() ? "" : " ")
                .append(std::get<std::string>(error.loc.at(1)))
                .append(" ")
                .append(error.type);
        return out;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(form_data)

BOOST_FIXTURE_TEST_CASE(fields_are_decoded, form_fixture)
{
    auto form = read("email=ada%40example.com&password=a+b%26c%3D%C3%A4&empty=&flag");
    BOOST_REQUIRE(form.has_value());
    BOOST_TEST((*form)["email"] == "ada@example.com");
    BOOST_TEST((*form)["password"] == "a b&c=ä");
    BOOST_TEST((*form)["empty"] == "");
    BOOST_TEST((*form)["flag"] == "");
    BOOST_TEST((*form)["unknown"] == "");
}

BOOST_FIXTURE_TEST_CASE(only_forms_in_utf8_are_read, form_fixture)
{
    const std::string form = "application/x-www-form-urlencoded";
    for (auto& type : {form, form + "; charset=utf-8", form + ";charset=UTF-8", form + "; charset=\"utf-8\"",
                       std::string("APPLICATION/X-WWW-FORM-URLENCODED")})
        BOOST_TEST(refusal("a=b", type) == "", type);
    for (auto& type : {std::string(), std::string("application/json"), std::string("text/plain"),
                       std::string("multipart/form-data; boundary=x"), form + "; charset=iso-8859-1",
                       form + "; x=y; charset=utf-16", form + "x"})
        BOOST_TEST(refusal("a=b", type) == "unsupported_media_type", type);
}

BOOST_FIXTURE_TEST_CASE(a_form_that_no_browser_sends_is_refused, form_fixture)
{
    for (auto body : {"a=1&a=2", "a=&a=", "a&a", "email=x&b=1&email=y", "a=%", "a=%4", "a=%zz", "%=a"})
        BOOST_TEST(refusal(body) == "bad_request", body);
    std::string many;
    for (int i = 0; i < 33; ++i)
        many += "f" + std::to_string(i) + "=1&";
    BOOST_TEST(refusal(many) == "bad_request");
    for (auto body : {"", "&", "a", "=", "a=1&b=1", "a==b"})
        BOOST_TEST(refusal(body) == "", body);
}

BOOST_FIXTURE_TEST_CASE(the_schema_of_the_endpoint_checks_the_fields, form_fixture)
{
    BOOST_TEST(errors<schemas::login>("email=ada%40example.com&password=long+enough") == "");
    BOOST_TEST(errors<schemas::login>("") == "email missing password missing");
    BOOST_TEST(errors<schemas::login>("email=&password=") == "email missing password missing");
    BOOST_TEST(errors<schemas::login>("email=nowhere&password=x") == "email value_error");
    BOOST_TEST(errors<schemas::signup>("email=ada%40example.com&password=short") ==
               "password string_too_short");
    BOOST_TEST(errors<schemas::signup>("email=ada%40example.com&password=" + std::string(2000, 'x')) ==
               "password string_too_long");
    BOOST_TEST(errors<schemas::signup>("email=ada%40example.com&password=long+enough&name=" +
                                       std::string(101, 'n')) == "name string_too_long");
    BOOST_TEST(errors<schemas::signup>("email=ada%40example.com&password=%FF%FElong+enough") ==
               "password value_error");
    BOOST_TEST(errors<schemas::login>("email=%00&password=x") == "email value_error");
    BOOST_TEST(errors<schemas::password_reset>("token=t&password=long+enough&revoke_api_keys=true") == "");
    // The name of the pressed button is the page's own.
    BOOST_TEST(errors<schemas::email_token>("token=t&action=disown") == "");
}

BOOST_FIXTURE_TEST_CASE(values_can_be_replaced, form_fixture)
{
    auto form = read("token=a&b=c");
    form->set("token", "x");
    form->set("b", "");
    BOOST_TEST((*form)["token"] == "x");
    BOOST_TEST((*form)["b"] == "");
}

BOOST_AUTO_TEST_SUITE_END()
