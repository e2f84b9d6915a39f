// Normalization of internationalized text: known answers, and properties over all of Unicode.
#include "schemas/engine/unicode.hpp"

#include "schemas/engine/types.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace schemas;

BOOST_AUTO_TEST_SUITE(unicode)

namespace {

std::string utf8_of(char32_t c)
{
    std::string out;
    const auto add = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (c < 0x80) {
        add(c);
    } else if (c < 0x800) {
        add(0xC0 | (c >> 6)), add(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        add(0xE0 | (c >> 12)), add(0x80 | ((c >> 6) & 0x3F)), add(0x80 | (c & 0x3F));
    } else {
        add(0xF0 | (c >> 18)), add(0x80 | ((c >> 12) & 0x3F));
        add(0x80 | ((c >> 6) & 0x3F)), add(0x80 | (c & 0x3F));
    }
    return out;
}

/// Calls `check` with every character of Unicode, and in front of combining marks that compose and reorder.
template <class Check>
void for_all_characters(Check check)
{
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        const auto text = utf8_of(c);
        check(text);
        if (c >= 0x80 && c < 0x3000)
            for (const char* marks : {"\u0301", "\u0345\u0301", "\u0323\u0307"})
                check(text + marks);
    }
}

std::string domain_or_none(std::string_view domain)
{
    return domain_to_ascii(domain).value_or("none");
}

using pairs = std::vector<std::pair<std::string, std::string>>;

} // namespace

BOOST_AUTO_TEST_CASE(one_mailbox_has_one_normalized_address)
{
    for (const auto& [in, out] : pairs{
             {"Ada.B@EXAMPLE.Org", "ada.b@example.org"},
             {"ada@b\u00fccher.example", "ada@xn--bcher-kva.example"},
             {"ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"}, // NFD
             {"ada@B\u00dcCHER.example", "ada@xn--bcher-kva.example"},
             {"ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"},
             {"ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"},
             {"ada@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.org", "ada@example.org"}, // full width
             {"ada@example\u3002org", "ada@example.org"},        // ideographic full stop
             {"ada@fa\u00df.example", "ada@xn--fa-hia.example"}, // non-transitional
             {"JOS\u00c9@example.org", "jos\u00e9@example.org"},
             {"jose\u0301@example.org", "jos\u00e9@example.org"},
             {"STRASSE@example.org", "strasse@example.org"},
             {"stra\u00dfe@example.org", "strasse@example.org"}, // full case folding
             {"\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2@example.org",
              "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3@example.org"}, // both small sigmas
             {"r3---sn@r3---sn.example", "r3---sn@r3---sn.example"},
         })
        BOOST_TEST(normalize_email(in) == out, in << " is " << normalize_email(in));
}

BOOST_AUTO_TEST_CASE(invalid_domains_have_no_ascii_form)
{
    BOOST_TEST(domain_or_none("b\u00fccher.example") == "xn--bcher-kva.example");
    for (const auto* domain : {"xn--a.example",               // no punycode
                               "xn--BCHER-KVA\u00fc.example", // an A-label beyond ASCII
                               "xn--example-.org",            // an A-label that has to be none
                               "a\u200db.example",            // a joiner without its context
                               "\u0627a.example",             // right to left and left to right
                               "\u0301a.example",             // begins with a combining mark
                               "a\uff20b.example",            // maps to @
                               "a\u0378.example",             // unassigned
                               "\u00fc..example",             // empty label
                               "\xff\xfe.example"})
        BOOST_TEST(domain_or_none(domain) == "none", domain << " is " << domain_or_none(domain));
    std::string long_label;
    for (int i = 0; i < 60; ++i)
        long_label += "\u00fc";
    BOOST_TEST(domain_or_none(long_label + ".example") == "none");
    BOOST_TEST(domain_or_none(std::string(5000, 'a') + "\u00fc") == "none");
}

BOOST_AUTO_TEST_CASE(an_address_with_an_invalid_domain_equals_no_valid_one)
{
    BOOST_TEST(normalize_email("Ada@xn--A.example") == "ada@xn--a.example");
    BOOST_TEST(normalize_email("Ada@\u00dc..example") == "ada@\u00dc..example");
    BOOST_TEST(normalize_email("Ada") == "ada");
    BOOST_TEST(normalize_email("\xff@\xff") == "\xff@\xff");
}

BOOST_AUTO_TEST_CASE(normalization_is_idempotent_and_ignores_canonical_equivalence)
{
    std::vector<std::string> failed;
    for_all_characters([&](const std::string& text) {
        const auto folded = fold_case(text);
        const auto opaque = to_opaque_string(text);
        if (fold_case(folded) != folded || fold_case(to_nfc(text)) != folded || to_nfc(folded) != folded ||
            to_nickname(to_nickname(text)) != to_nickname(text) ||
            (opaque && to_opaque_string(*opaque) != opaque))
            failed.push_back(text);
    });
    BOOST_TEST(failed.size() == 0u, failed.size()
                                        << " texts, the first is " << (failed.empty() ? "" : failed[0]));
}

BOOST_AUTO_TEST_CASE(normalized_addresses_are_idempotent)
{
    std::vector<std::string> failed;
    for_all_characters([&](const std::string& text) {
        const auto once = normalize_email(text + "@a" + text + ".example");
        if (normalize_email(once) != once)
            failed.push_back(text);
    });
    BOOST_TEST(failed.size() == 0u, failed.size()
                                        << " texts, the first is " << (failed.empty() ? "" : failed[0]));
}

BOOST_AUTO_TEST_CASE(passwords_are_opaque_strings)
{
    for (const auto& [in, out] : pairs{
             {"correct horse", "correct horse"},
             {"Stra\u00dfe-e\u0301le\u0300ve", "Stra\u00dfe-\u00e9l\u00e8ve"},
             {"a\u00a0b\u3000c\u2003d", "a b c d"},
             {"  kept  ", "  kept  "},
             {"\u212b", "\u00c5"}, // the angstrom sign
             {"\ufb01", "\ufb01"}, // NFC keeps compatibility characters
             {"\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"},
         })
        BOOST_TEST(to_opaque_string(in).value_or("none") == out);
    for (const auto* refused : {"", "a\tb", "a\x01", "a\x7f", "a\u0085", "\xff", "a\xc3"})
        BOOST_TEST(!to_opaque_string(refused));
    BOOST_TEST(!to_opaque_string(std::string_view("a\0b", 3)));
}

BOOST_AUTO_TEST_CASE(nicknames_have_single_inner_spaces)
{
    for (const auto& [in, out] : pairs{
             {"  Ada   Lovelace ", "Ada Lovelace"},
             {"\u00a0Ada\u3000\u2003Lovelace\u00a0", "Ada Lovelace"},
             {"Jose\u0301", "Jos\u00e9"},
             {"   ", ""},
             {"", ""},
             {"\xff ", "\xff "},
         })
        BOOST_TEST(to_nickname(in) == out);
}

BOOST_AUTO_TEST_CASE(faults_of_nicknames)
{
    const auto check = [](std::initializer_list<const char*> names, nickname_fault fault) {
        for (const auto* name : names)
            BOOST_TEST((find_nickname_fault(name) == fault),
                       name << " is " << int(find_nickname_fault(name)));
    };
    check({"Ada Lovelace", "\u674e", "Jos\u00e9", "O'Brien",
           "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f469\u200d\U0001f4bb",
           "\u2764\ufe0f\u200d\U0001f525", "1\ufe0f\u20e3", "\u845b\U000e0100\u57ce", "\U0001f1e9\U0001f1ea",
           "\u0915\u094d\u200d\u0937", "$"},
          nickname_fault::none);
    check({"", "\u200d", "\u2800", "\u0301", "\ufe0f", " \u200c "}, nickname_fault::blank);
    check({"a\nb", "a\u0085", "a\u2028b"}, nickname_fault::control);
    check({"Ada\u202egpj.exe", "\u2066"}, nickname_fault::bidi_control);
    check({"a\u200bb", "a\u00adb", "\ufeff", "\u3164", "a\u200e", "a\u0378", "a\ue000", "a\ufdd0",
           "a\U000e0041", "a\ufe0f\ufe0f", "a\u200d\u200d", "a \u200d", "a\u034f"},
          nickname_fault::disallowed);
    check({"\xff", "a\xc3"}, nickname_fault::malformed);
}

BOOST_AUTO_TEST_CASE(canonical_language_tags)
{
    for (const auto* tag : {"en", "pt-BR", "zh-Hant-TW", "es-419", "de-DE-1996", "und", "nb", "tl",
                            "en-US-u-ca-buddhist", "sr-Latn", "ast", "en-x-private"})
        BOOST_TEST(canonical_language_tag(tag).value_or("none") == tag);
    for (const auto& [tag, canonical] : pairs{
             {"EN", "en"},
             {"pt-br", "pt-BR"},
             {"zh-hant-tw", "zh-Hant-TW"},
             {"sl-rozaj-biske", "sl-biske-rozaj"},
             {"iw", "he"},
             {"i-klingon", "tlh"},
             {"art-lojban", "jbo"},
             {"zh-min-nan", "nan"},
         })
        BOOST_TEST(canonical_language_tag(tag).value_or("none") == canonical);
    for (const auto* tag : {"", "e", "en-", "en--US", "en_US", "en-US-US", "en-toolongsubtag", "de-\u00fc",
                            "en-a", "de-1996-1996", "abcdefghi"})
        BOOST_TEST(canonical_language_tag(tag).value_or("none") == "none", tag);
}

BOOST_AUTO_TEST_SUITE_END()
