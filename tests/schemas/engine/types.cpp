// The member types: accepted values, and the error types of rejected ones.
#include "schemas/engine/types.hpp"

#include "schemas/engine/utf8.hpp"
#include "schemas/enums.hpp"
#include "tests/schemas/support.hpp"

#include <boost/test/unit_test.hpp>

using namespace schemas;
using namespace schemas::test;

namespace {

struct example {
    std::string json;
    std::string outcome;
};

template <class T>
void check(std::initializer_list<example> table)
{
    for (const auto& [json, outcome] : table)
        BOOST_TEST(error_of<T>(json) == outcome, json << " is " << error_of<T>(json) << ", not " << outcome);
}

std::string quoted(std::string_view text)
{
    return to_json(std::string(text));
}

std::string again(std::string_view piece, int times)
{
    std::string out;
    while (times-- > 0)
        out += piece;
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(types)

BOOST_AUTO_TEST_CASE(a_token_is_any_string)
{
    check<opaque_token>({
        {R"("")", "ok"},
        {R"("a\u0000b")", "ok"},
        {R"(" \n é🔑")", "ok"},
        {quoted(again("x", 60000)), "ok"},
        {"7", "string_type"},
        {"null", "string_type"},
    });
}

BOOST_AUTO_TEST_CASE(blanks_around_a_text_are_trimmed)
{
    BOOST_TEST(trim_blanks("key") == "key");
    BOOST_TEST(trim_blanks(" \r\n\tk e y\v \u00A0\uFEFF\u200B") == "k e y");
    BOOST_TEST(trim_blanks("\u3000é") == "é");
    BOOST_TEST(trim_blanks("").empty());
    BOOST_TEST(trim_blanks(" \u2003 ").empty());
    BOOST_TEST(trim_blanks("\xFF \xFF ") == "\xFF \xFF");
}

BOOST_AUTO_TEST_CASE(text_counts_code_points)
{
    check<text<2, 3>>({
        {R"("ab")", "ok"},
        {R"("a")", "string_too_short"},
        {R"("abcd")", "string_too_long"},
        {R"("éé")", "ok"},
        {R"("é")", "string_too_short"},
        {R"("🔑🔑🔑")", "ok"},
        {R"("🔑🔑🔑🔑")", "string_too_long"},
        {R"("  ")", "ok"},
        {"7", "string_type"},
        {"null", "string_type"},
        {"[\"ab\"]", "string_type"},
    });
    BOOST_TEST((read<text<1, 9>>(R"(" a ")").value == " a "));
}

BOOST_AUTO_TEST_CASE(text_has_no_control_characters)
{
    check<text<1, 9>>({
        {R"("a\u0000b")", "value_error"},
        {R"("a\nb")", "value_error"},
        {R"("a\tb")", "value_error"},
        {R"("\u001f")", "value_error"},
        {R"("\u007f")", "value_error"},
        {R"("\u0085")", "value_error"},
        {R"("\u009f")", "value_error"},
        {R"("\u2028")", "value_error"},
        {R"("\u00a0")", "ok"},
        {R"("\u202e")", "ok"},
    });
}

BOOST_AUTO_TEST_CASE(text_from_a_query_must_be_utf8)
{
    validation_errors errors;
    BOOST_TEST(!(text<1, 9>::read("a\xFF", path{"query"}, errors)));
    BOOST_TEST(!(name_text<1, 9>::read("\xC3", path{"query"}, errors)));
    BOOST_TEST(!email_address::read("\xC3@example.org", path{"query"}, errors));
    BOOST_TEST(errors.count() == 3u);
}

BOOST_AUTO_TEST_CASE(a_name_is_more_than_white_space)
{
    check<name_text<1, 20>>({
        {R"("Ada")", "ok"},
        {R"("Ada Lovelace")", "ok"},
        {R"("李")", "ok"},
        {R"("👩‍💻")", "ok"},
        {R"("")", "string_too_short"},
        {R"(" ")", "value_error"},
        {R"("\u3000\u00a0")", "value_error"},
        {R"("\u200b\u200d")", "value_error"},
        {R"("\ufeff")", "value_error"},
        {R"("\u3164")", "value_error"},
        {R"("\u0301")", "value_error"},
        {R"("Ada\u200bLovelace")", "value_error"},
        {R"("\u0378")", "value_error"},
        {R"("a                    b")", "ok"},
        {R"("aaaaaaaaaaaaaaaaaaaaa")", "string_too_long"},
        {R"("Ada\u202egpj.exe")", "value_error"},
        {R"("Ada\u2066")", "value_error"},
        {R"("A\u0000")", "value_error"},
    });
    BOOST_TEST((read<name_text<1, 12>>(R"("  Ada \u00a0 Lovelace")").value == "Ada Lovelace"));
    BOOST_TEST((read<name_text<1, 4>>(R"("Jose\u0301")").value == "Jos\u00e9"));
}

BOOST_AUTO_TEST_CASE(email_addresses)
{
    const auto as = [](std::string_view text, const char* outcome) { return example{quoted(text), outcome}; };
    check<email_address>({
        as("ada@example.org", "ok"),
        as("Ada.Lovelace+keys@mail.example.co.uk", "ok"),
        as("o'brien@example.org", "ok"),
        as("!#$%&'*+-/=?^_`{|}~@example.org", "ok"),
        as("1@2.org", "ok"),
        as("a@xn--bcher-kva.example", "ok"),
        as("jos\u00e9@b\u00fccher.example", "ok"),
        as("ada@example\u3002org", "ok"),
        as("ada@" + again("\u4f8b", 40) + ".example", "ok"), // over 63 bytes in UTF-8, fewer as an A-label
        as("ada@" + again("\u00fc", 60) + ".example", "value_error"),
        as("ada@\uff11\uff12\uff17.\uff10.\uff10.\uff11", "value_error"),
        as("ada@b\u00fccher", "value_error"),
        as("ada@b\u00fccher.", "value_error"),
        as("ada@-b\u00fccher.example", "value_error"),
        as("ada@b\u00fccher_.example", "value_error"),
        as("ada@xn--a.example", "value_error"),
        as("ada@\u0627a.example", "value_error"),
        as(again("a", 64) + "@example.org", "ok"),
        as(again("a", 65) + "@example.org", "value_error"),
        as("a@" + again("b", 63) + ".org", "ok"),
        as("a@" + again("b", 64) + ".org", "value_error"),
        as("a@" + again("bcd.", 62) + "orgs", "ok"), // 254 bytes
        as("a@" + again("bcd.", 63) + "o", "string_too_long"),
        as("", "value_error"),
        as("ada", "value_error"),
        as("@example.org", "value_error"),
        as("ada@", "value_error"),
        as("ada@localhost", "value_error"),
        as("ada@@example.org", "value_error"),
        as("a@b@example.org", "value_error"),
        as(".ada@example.org", "value_error"),
        as("ada.@example.org", "value_error"),
        as("a..da@example.org", "value_error"),
        as("ada@.example.org", "value_error"),
        as("ada@example..org", "value_error"),
        as("ada@example.org.", "value_error"),
        as("ada@-example.org", "value_error"),
        as("ada@example-.org", "value_error"),
        as("ada@exam_ple.org", "value_error"),
        as("ada@127.0.0.1", "value_error"),
        as("ada@[127.0.0.1]", "value_error"),
        as("\"ada\"@example.org", "value_error"),
        as("Ada <ada@example.org>", "value_error"),
        as("ada @example.org", "value_error"),
        as(" ada@example.org", "value_error"),
        as("ada@example.org\n", "value_error"),
        as("ada\r\nBcc: x@example.org", "value_error"),
        as("a,b@example.org", "value_error"),
        as("a\u00a0b@example.org", "value_error"),
        as("a\u200bb@example.org", "value_error"),
        as("a\u202eb@example.org", "value_error"),
        as("a@b\u0085.org", "value_error"),
        {"5", "string_type"},
    });
}

BOOST_AUTO_TEST_CASE(an_email_address_keeps_its_case_and_is_compared_without)
{
    const auto address = read<email_address>(R"("Ada.B@EXAMPLE.Org")");
    BOOST_TEST(address.text == "Ada.B@EXAMPLE.Org");
    BOOST_TEST(address.normalized == "ada.b@example.org");
    BOOST_TEST(to_json(address) == R"("Ada.B@EXAMPLE.Org")");
    const auto beyond_ascii = read<email_address>(R"("JOSE\u0301@B\u00dccher.Example")");
    BOOST_TEST(beyond_ascii.text == "JOSE\u0301@B\u00dccher.Example");
    BOOST_TEST(beyond_ascii.normalized == "jos\u00e9@xn--bcher-kva.example");
    BOOST_TEST(beyond_ascii.normalized == normalize_email(beyond_ascii.text));
}

BOOST_AUTO_TEST_CASE(domains_are_compared_as_a_labels)
{
    for (const char* text :
         {R"("B\u00fccher.example")", R"("bu\u0308cher.EXAMPLE")", R"("XN--BCHER-KVA.example")"})
        BOOST_TEST(read<domain_name>(text).value == "xn--bcher-kva.example");
    check<domain_name>({
        {R"("example.com")", "ok"},
        {R"("example")", "value_error"},
        {R"("a@example.com")", "value_error"},
        {R"("xn--a.example")", "value_error"},
        {R"("1.2.3.4")", "value_error"},
        {R"("")", "value_error"},
    });
}

BOOST_AUTO_TEST_CASE(passwords)
{
    check<new_password>({
        {quoted("1234567"), "string_too_short"},
        {quoted("12345678"), "ok"},
        {quoted("pässwörd"), "ok"},
        {quoted("ééééééé"), "string_too_short"},
        {quoted("tab\tand more"), "value_error"},
        {quoted("nul \x01 and more"), "value_error"},
        {quoted("e\u0301e\u0301e\u0301e\u0301"), "string_too_short"}, // 8 code points, and 4 in NFC
        {quoted("e\u0301 e\u0301 e\u0301 e\u0301 "), "ok"},
        {quoted(again("x", 1024)), "ok"},
        {quoted(again("x", 1025)), "string_too_long"},
        {quoted(again("é", 512)), "ok"},
        {quoted(again("é", 513)), "string_too_long"},
        {"12345678", "string_type"},
    });
    check<existing_password>({
        {quoted(""), "string_too_short"},
        {quoted("x"), "ok"},
        {quoted(again("x", 1024)), "ok"},
        {quoted(again("x", 1025)), "string_too_long"},
        {quoted("tab\tand \x01 too"), "ok"},
    });
}

BOOST_AUTO_TEST_CASE(a_password_is_normalized_and_an_existing_one_kept_as_received)
{
    BOOST_TEST(read<new_password>(quoted("e\u0301le\u0300ves\u3000\u212b")).value ==
               "\u00e9l\u00e8ves \u00c5");

    const auto composed = read<existing_password>(quoted("\u00e9l\u00e8ve"));
    BOOST_TEST(composed.value == "\u00e9l\u00e8ve");
    BOOST_TEST(!composed.as_received);

    const auto decomposed = read<existing_password>(quoted("e\u0301le\u0300ve"));
    BOOST_TEST(decomposed.value == "\u00e9l\u00e8ve");
    BOOST_TEST(decomposed.as_received.value() == "e\u0301le\u0300ve");
    BOOST_TEST(decomposed.view() == "e\u0301le\u0300ve");

    const auto with_tab = read<existing_password>(quoted("e\u0301\t"));
    BOOST_TEST(with_tab.value == "e\u0301\t");
    BOOST_TEST(!with_tab.as_received);

    // U+0958 is two code points in NFC, twice as long.
    const auto expanding = read<existing_password>(quoted(again("\u0958", 341)));
    BOOST_TEST(expanding.value == again("\u0958", 341));
    BOOST_TEST(error_of<new_password>(quoted(again("\u0958", 341))) == "string_too_long");
}

BOOST_AUTO_TEST_CASE(integers)
{
    check<integer<-5, 10>>({
        {"-5", "ok"},
        {"10", "ok"},
        {"10.0", "ok"},
        {"-0", "ok"},
        {"-6", "greater_than_equal"},
        {"11", "less_than_equal"},
        {"1.5", "int_type"},
        {"\"1\"", "int_type"},
        {"true", "int_type"},
        {"[]", "int_type"},
        {"1e1000", "less_than_equal"},
    });
    BOOST_TEST((read<integer<-5, 10>>("1e1").value == 10));
}

BOOST_AUTO_TEST_CASE(page_limits)
{
    const auto limit = [](std::string_view text) {
        validation_errors errors;
        const auto out = schemas::rule<page_limit>::parse_text(text, path{"query"}, errors);
        return out ? out->value : -1;
    };
    BOOST_TEST(limit("1") == 1);
    BOOST_TEST(limit("200") == 200);
    BOOST_TEST(limit("201") == 200);
    BOOST_TEST(limit("99999999999999999999999") == 200);
    for (const auto bad :
         {"0", "-1", "-99999999999999999999999", "", " 5", "5 ", "5.0", "+5", "0x10", "five", "1e2"})
        BOOST_TEST(limit(bad) == -1, bad);
    BOOST_TEST(read<page_limit>("201").value == 200);
    BOOST_TEST(error_of<page_limit>("0") == "greater_than_equal");
}

BOOST_AUTO_TEST_CASE(booleans)
{
    check<bool>({{"true", "ok"}, {"false", "ok"}, {"1", "bool_type"}, {"\"true\"", "bool_type"}});
    validation_errors errors;
    BOOST_TEST(*schemas::rule<bool>::parse_text("true", path{"query"}, errors));
    BOOST_TEST(!*schemas::rule<bool>::parse_text("0", path{"query"}, errors));
    BOOST_TEST(!schemas::rule<bool>::parse_text("yes", path{"query"}, errors));
}

BOOST_AUTO_TEST_CASE(ids)
{
    using boost::uuids::uuid;
    check<uuid>({
        {R"("01939c5e-8f00-7abc-8def-0123456789ab")", "ok"},
        {R"("01939C5E-8F00-7ABC-8DEF-0123456789AB")", "ok"},
        {R"("00000000-0000-0000-0000-000000000000")", "ok"},
        {R"("01939c5e8f007abc8def0123456789ab")", "uuid_parsing"},
        {R"("{01939c5e-8f00-7abc-8def-0123456789ab}")", "uuid_parsing"},
        {R"("01939c5e-8f00-7abc-8def-0123456789a")", "uuid_parsing"},
        {R"("01939c5e-8f00-7abc-8def-0123456789ag")", "uuid_parsing"},
        {R"("01939c5e-8f00-7abc-8def+0123456789ab")", "uuid_parsing"},
        {R"("")", "uuid_parsing"},
        {"1", "string_type"},
    });
    BOOST_TEST(to_json(read<uuid>(R"("01939C5E-8F00-7ABC-8DEF-0123456789AB")")) ==
               R"("01939c5e-8f00-7abc-8def-0123456789ab")");
}

BOOST_AUTO_TEST_CASE(timestamps_are_converted_to_utc)
{
    const auto to_utc = [](std::string_view text) {
        const auto at = parse_timestamp(text);
        if (!at)
            return std::string("none");
        std::string out;
        append_timestamp(out, *at);
        return out;
    };
    for (const auto& [in, out] : std::initializer_list<std::pair<const char*, const char*>>{
             {"2026-11-24T10:49:36Z", "2026-11-24T10:49:36.000000Z"},
             {"2026-11-24t10:49:36z", "2026-11-24T10:49:36.000000Z"},
             {"2026-11-24T10:49:36.1Z", "2026-11-24T10:49:36.100000Z"},
             {"2026-11-24T10:49:36.123456789Z", "2026-11-24T10:49:36.123456Z"},
             {"2026-11-24T12:49:36.5+02:00", "2026-11-24T10:49:36.500000Z"},
             {"2026-11-24T00:15:00-09:30", "2026-11-24T09:45:00.000000Z"},
             {"2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00.000000Z"},
             {"2026-11-24T10:49:36-00:00", "2026-11-24T10:49:36.000000Z"},
             {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
             {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
             {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"},
             {"2017-01-01T08:59:60+09:00", "2017-01-01T00:00:00.000000Z"},
             {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
             {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
             {"2026-11-24T10:49:60Z", "none"},
             {"2026-11-24T10:49:61Z", "none"},
             {"2026-11-24T24:00:00Z", "none"},
             {"2026-11-24T10:60:00Z", "none"},
             {"2025-02-29T00:00:00Z", "none"},
             {"2026-00-01T00:00:00Z", "none"},
             {"2026-13-01T00:00:00Z", "none"},
             {"2026-11-31T00:00:00Z", "none"},
             {"0000-01-01T00:00:00Z", "none"},
             {"0001-01-01T00:00:00+00:01", "none"},
             {"9999-12-31T23:59:59-00:01", "none"},
             {"2026-11-24T10:49:36", "none"},
             {"2026-11-24 10:49:36Z", "none"},
             {"2026-11-24T10:49:36.Z", "none"},
             {"2026-11-24T10:49:36,5Z", "none"},
             {"2026-11-24T10:49:36+0200", "none"},
             {"2026-11-24T10:49:36+24:00", "none"},
             {"2026-11-24T10:49:36+02:60", "none"},
             {"2026-11-24T10:49:36Zx", "none"},
             {"2026-11-24T10:49Z", "none"},
             {"2026-11-24", "none"},
             {"-026-11-24T10:49:36Z", "none"},
             {"20261-1-24T10:49:36Z", "none"},
             {"1795517376", "none"},
             {"", "none"},
         })
        BOOST_TEST(to_utc(in) == out, in << " is " << to_utc(in) << ", not " << out);
    check<timestamp>(
        {{R"("2026-11-24T10:49:36Z")", "ok"}, {R"("soon")", "datetime_parsing"}, {"5", "string_type"}});
}

BOOST_AUTO_TEST_CASE(enums)
{
    check<schemas::role>({
        {R"("admin")", "ok"},
        {R"("member")", "ok"},
        {R"("Admin")", "enum"},
        {R"("")", "enum"},
        {R"("admin\u0000")", "enum"},
        {"0", "string_type"},
    });
    BOOST_TEST(to_text(schemas::role::manager) == "manager");
    BOOST_TEST((from_text<schemas::role>("manager") == schemas::role::manager));
    BOOST_TEST(!from_text<schemas::role>("boss").has_value());
    BOOST_TEST(parse_value<schemas::role>("boss", "body").errors.front().msg ==
               "must be one of: admin, manager, member");
}

BOOST_AUTO_TEST_CASE(scopes)
{
    check<scope_list>({
        {R"(["*"])", "ok"},
        {R"(["content:read","api_keys:write"])", "ok"},
        {"[]", "too_short"},
        {R"("*")", "list_type"},
        {"null", "list_type"},
        {R"([7])", "string_type"},
        {R"(["content"])", "string_pattern_mismatch"},
        {R"(["content:"])", "string_pattern_mismatch"},
        {R"([":read"])", "string_pattern_mismatch"},
        {R"(["a:b:c"])", "string_pattern_mismatch"},
        {R"(["Content:read"])", "string_pattern_mismatch"},
        {R"(["content:*"])", "string_pattern_mismatch"},
        {R"(["content:read "])", "string_pattern_mismatch"},
        {R"([""])", "string_pattern_mismatch"},
        {"[\"" + again("a", 62) + ":b\"]", "ok"},
        {"[\"" + again("a", 63) + ":b\"]", "string_pattern_mismatch"},
        {"[" + again("\"*\",", 99) + "\"*\"]", "ok"},
        {"[" + again("\"*\",", 100) + "\"*\"]", "too_long"},
    });
    const auto folded = read<scope_list>(R"(["b:r","a:r","b:r"])");
    BOOST_TEST(folded.items == (std::vector<std::string>{"b:r", "a:r"}), boost::test_tools::per_element());
    BOOST_TEST(to_json(folded) == R"(["b:r","a:r"])");

    const boost::json::value mixed = {"*", "x", 1};
    BOOST_TEST(lines(parse_value<scope_list>(mixed, "s")) ==
                   (expected{"s.1 string_pattern_mismatch", "s.2 string_type"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(languages_and_time_zones)
{
    check<locale_tag>({
        {R"("en")", "ok"},
        {R"("pt-BR")", "ok"},
        {R"("zh-Hant-TW")", "ok"},
        {R"("es-419")", "ok"},
        {R"("de-DE-1996")", "ok"},
        {R"("e")", "string_pattern_mismatch"},
        {R"("")", "string_pattern_mismatch"},
        {R"("en_US")", "string_pattern_mismatch"},
        {R"("en-")", "string_pattern_mismatch"},
        {R"("en--US")", "string_pattern_mismatch"},
        {R"("12")", "string_pattern_mismatch"},
        {R"("../etc")", "string_pattern_mismatch"},
        {R"("en-US-aaaaaaaa-bbbbbbbb-cccccccc-dddd")", "string_pattern_mismatch"},
        {R"("EN")", "value_error"},
        {R"("pt-br")", "value_error"},
        {R"("iw")", "value_error"},
        {R"("en-US-US")", "value_error"},
    });
    check<time_zone_name>({
        {R"("UTC")", "ok"},
        {R"("Europe/Berlin")", "ok"},
        {R"("America/Argentina/Buenos_Aires")", "ok"},
        {R"("America/Port-au-Prince")", "ok"},
        {R"("Etc/GMT+5")", "ok"},
        {R"("EST5EDT")", "ok"},
        {R"("")", "string_pattern_mismatch"},
        {R"("/Europe")", "string_pattern_mismatch"},
        {R"("Europe/")", "string_pattern_mismatch"},
        {R"("../../etc/passwd")", "string_pattern_mismatch"},
        {R"("Europe/Zürich")", "string_pattern_mismatch"},
        {R"("+02:00")", "string_pattern_mismatch"},
        {R"("europe/berlin")", "value_error"},
        {R"("Mars/Olympus_Mons")", "value_error"},
        {quoted(again("A", 64)), "value_error"},
        {quoted(again("A", 65)), "string_pattern_mismatch"},
    });
}

BOOST_AUTO_TEST_CASE(untrusted_text_is_sanitized)
{
    BOOST_TEST(sanitize_text("curl/8.1 \xC3\xA9", 99) == "curl/8.1 \xC3\xA9");
    BOOST_TEST(sanitize_text("a\xFF\x1B[31mb", 99) == "a\uFFFD\uFFFD[31mb");
    BOOST_TEST(sanitize_text(std::string_view("\0x", 2), 99) == "\uFFFDx");
    BOOST_TEST(sanitize_text("aa\u00e9", 3) == "aa");
    BOOST_TEST(sanitize_text("aa\u00e9", 4) == "aa\u00e9");
    BOOST_TEST(sanitize_text("", 4) == "");
}

BOOST_AUTO_TEST_SUITE_END()
